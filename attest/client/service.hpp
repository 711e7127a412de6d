// SPDX-License-Identifier: Apache-2.0
// Calls to the attestation service as one of its operators: over TLS 1.3 to the pinned authority, by a token file or a client
// certificate. A refusal is a value with the service's own word for it. Who calls it: casemate-attest, casemate provision.
#pragma once

#include <string>

#include "attest/client/service_options.hpp"
#include "attest/verifier/json.hpp"

namespace casemate::client {

/// Why a call has no answer.
struct CallError {
    enum class Kind {
        not_made, // the options or a file of them are wrong, or nobody answered: `detail` is a sentence without its full stop
        refused,  // the service said no
    } kind = Kind::not_made;
    int status = 0;          // HTTP, of a refusal
    std::string code;        // its word ("role", "inventory_unknown"); empty: the answer was none of this service's
    std::string detail;
    verifier::Json answer{}; // the refusal as it came; null when it was none of this service's

    /// For a person, with the next step where there is one; without the last full stop.
    [[nodiscard]] std::string sentence() const;
};

using Called = Result<verifier::Json, CallError>;

class Service {
public:
    virtual ~Service() = default;
    /// `body`: of a POST.
    [[nodiscard]] virtual Called call(const std::string& method, const std::string& path, const std::string& body = "{}") = 0;
};

/// The service that the options name.
class RemoteService final : public Service {
public:
    explicit RemoteService(ServiceOptions options) : options_{std::move(options)} {}
    [[nodiscard]] Called call(const std::string& method, const std::string& path, const std::string& body = "{}") override;

private:
    const ServiceOptions options_;
};

/// What an answer of that status and body is.
[[nodiscard]] Called understood(int status, const std::string& body);

} // namespace casemate::client
