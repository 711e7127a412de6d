// SPDX-License-Identifier: Apache-2.0
// What the service counts about itself, for Prometheus (docs/interfaces/operations.md lists the names). Counters belong to this
// replica and begin at 0 with it; gauges of the fleet are what the watch (watch.hpp) saw last. Labels are words of this program:
// routes, reasons, states; of the fleet only a bounded number of platform ids, checked by the grammar of ids.
// Safe from several threads. Does not know who may read it: operations.hpp does.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "attest/store/store.hpp"
#include "attest/verifier/json.hpp"

namespace casemate::verifier {

/// The fleet at one time.
struct FleetPicture {
    struct Age {
        std::string platform_id;
        double seconds = 0;
    };
    std::size_t active = 0;
    std::size_t quarantined = 0;
    std::size_t retired = 0;
    std::size_t silent = 0;        // of the active ones
    std::size_t never_attested = 0; // of the active ones
    std::vector<Age> ages;         // of the active ones that were attested: the oldest first, at most Settings::shown_ages
    std::int64_t leases_live = 0;
    std::int64_t leases_expiring = 0;
};

struct ConnectionCounts {
    std::size_t open = 0;
    std::uint64_t accepted = 0;
    std::uint64_t refused = 0; // above a limit
};

class Metrics {
public:
    Metrics();
    ~Metrics();
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;

    /// `route` is a pattern of the table or a word for none: never text of a request.
    void request(std::string_view method, std::string_view route, int status, std::chrono::nanoseconds took);
    /// `reasons`: [{code, ...}], as in the answer to evidence.
    void appraised(const std::string& verdict, const Json& reasons);
    /// issued, reissued, renewed, revoked
    void grant(std::string_view what);
    void signing_failed();
    void store_step(store::Step step, std::chrono::nanoseconds took);
    void incident();
    void alarm_raised();

    void fleet(const FleetPicture& picture);
    void connections(const ConnectionCounts& counts);
    void audit_head(std::int64_t sequence);
    void ready(bool yes);

    /// The text format 0.0.4.
    [[nodiscard]] std::string text() const;
    static constexpr const char* content_type = "text/plain; version=0.0.4; charset=utf-8";

private:
    class Implementation;
    std::unique_ptr<Implementation> implementation_;
};

} // namespace casemate::verifier
