// SPDX-License-Identifier: Apache-2.0
// Who sent this request? Platforms show their own token; operators a token or a client
// certificate. A token that is shown counts, and a certificate beside it does not. Says nothing about the body.
// Called by the router only, for each request.
#pragma once

#include "attest/verifier/context.hpp"
#include "attest/verifier/http_server.hpp"
#include "attest/verifier/operators.hpp"

namespace casemate::verifier {

class Authenticator {
public:
    Authenticator(const Context& context, const OperatorRegister& operators) : context_{context}, operators_{operators} {}

    /// 401 `token_missing`, `token_wrong`, `token_expired`.
    [[nodiscard]] Result<store::Platform, ApiError> platform(const HttpRequest& request, const std::string& id) const;
    /// 401 `token_missing`, `token_expired`, `certificate_expired`; 403 `operator_only`, `certificate_unknown`. Whether
    /// the role suffices is the router's question.
    [[nodiscard]] Result<Principal, ApiError> operator_(const HttpRequest& request) const;

private:
    [[nodiscard]] Result<Principal, ApiError> of_token(std::string_view token) const;
    [[nodiscard]] Result<Principal, ApiError> of_certificate(const ClientCertificate& certificate) const;

    const Context& context_;
    const OperatorRegister& operators_;
};

} // namespace casemate::verifier
