// SPDX-License-Identifier: Apache-2.0
// The files that a verifier needs to serve the fleet, in one directory: made when it has none, read when it has.
//   tls.pem tls.key      the service's certificate and key
//   grant.key            what the verifier signs grants with
//   result.key           what it signs results with
//   operator.token       the operator's token
//   ek-ca.pem ek-ca.key  the authority of the platforms' EK certificates
//   reference.json       what the platforms launch
#pragma once

#include <filesystem>
#include <memory>

#include "tests/fleet/authority.hpp"
#include "tests/fleet/launch_model.hpp"

namespace casemate::fleet {

class Materials {
public:
    explicit Materials(const std::filesystem::path& directory);

    [[nodiscard]] std::filesystem::path file(const char* name) const { return directory_ / name; }
    [[nodiscard]] std::string operator_token() const;
    /// The options of casemate-verifierd that name these files.
    [[nodiscard]] std::vector<std::string> verifier_options() const;

    [[nodiscard]] const Authority& authority() const { return *authority_; }
    [[nodiscard]] LaunchModel& model() { return *model_; }
    [[nodiscard]] const measure::P256PublicKey& grant_key() const { return *grant_key_; }

private:
    void make() const;

    std::filesystem::path directory_;
    std::unique_ptr<Authority> authority_;
    std::unique_ptr<LaunchModel> model_;
    std::optional<measure::P256PublicKey> grant_key_;
};

} // namespace casemate::fleet
