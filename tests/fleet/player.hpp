// SPDX-License-Identifier: Apache-2.0
// One platform at work: its connection, and the calls of the verifier's API that an agent makes (docs/interfaces/verifier-api.md).
// What came back is told in the API's own words, so that it can be compared with what should have come.
#pragma once

#include "tests/fleet/client.hpp"
#include "tests/fleet/virtual_platform.hpp"

namespace casemate::fleet {

/// How often what came back, over the whole fleet; to be compared with what the service has stored.
struct Tally {
    std::size_t enrolled = 0;
    std::size_t affirming = 0;
    std::size_t contraindicated = 0;
    std::size_t grants = 0;
    std::size_t renewals = 0;
};

struct Reply {
    int status = 0;
    Json body;
    /// "ok", an error's code, or a verdict and the codes of its reasons: "contraindicated: quote_magic".
    [[nodiscard]] std::string word() const;
};

/// What all players of a fleet share.
struct Stage {
    boost::asio::io_context& io;
    Target& target;
    const Authority& authority;
    LaunchModel& model;
    const measure::P256PublicKey& grant_key; // of the verifier
    std::uint32_t restarts = 0; // of each driver VM before its first renewal: 1 kB of log each
    Tally tally;
};

class Player {
public:
    Player(Stage& stage, EkKind kind) : Player{stage, kind, std::make_shared<Client>(stage.io, stage.target)} {}
    /// Several players may have one connection, as behind one relay; they must take turns.
    Player(Stage& stage, EkKind kind, std::shared_ptr<Client> client)
        : stage_{stage}, platform_{kind, stage.authority, stage.model}, client_{std::move(client)} {}

    /// At first, or again.
    [[nodiscard]] Task<> connect();
    [[nodiscard]] Task<Reply> call(HttpCall call);
    /// A call about this platform with its token.
    [[nodiscard]] Task<Reply> own(std::string method, std::string path, std::string body);

    [[nodiscard]] Task<Reply> begin_enrolment(Json offer);
    /// With a good offer, to the end.
    [[nodiscard]] Task<Reply> enrol();
    [[nodiscard]] Task<Challenge> challenge();
    [[nodiscard]] Task<Reply> submit(std::string body);
    [[nodiscard]] Task<Reply> submit(Evidence evidence) { return submit(encode_body(evidence)); }
    /// A challenge and good evidence for it; what is granted is taken.
    [[nodiscard]] Task<Reply> attest();
    /// The same as one round of a load, with as little work here as there can be: what was signed is not checked.
    /// The number of grants and renewals in an affirming answer, -1 otherwise.
    [[nodiscard]] Task<int> renew();

    [[nodiscard]] Stage& stage() { return stage_; }
    [[nodiscard]] VirtualPlatform& platform() { return platform_; }
    [[nodiscard]] Client& client() { return *client_; }

private:
    [[nodiscard]] HttpCall own_call(std::string method, const char* path, std::string body) const;

    Stage& stage_;
    VirtualPlatform platform_;
    std::shared_ptr<Client> client_;
};

} // namespace casemate::fleet
