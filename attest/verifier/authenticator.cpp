// SPDX-License-Identifier: Apache-2.0
// See authenticator.hpp.
#include "attest/verifier/authenticator.hpp"

namespace casemate::verifier {
namespace {

constexpr std::string_view bearer = "Bearer ";

Result<std::string_view, ApiError> token_of(const HttpRequest& request) {
    if (!request.authorization.starts_with(bearer)) return refuse(401, "token_missing", "a bearer token is required");
    return std::string_view{request.authorization}.substr(bearer.size());
}

} // namespace

Result<store::Platform, ApiError> Authenticator::platform(const HttpRequest& request, const std::string& id) const {
    const std::string_view token = TRY(token_of(request));
    const std::optional<store::Platform> platform = context_.store.platform(id);
    // An unknown platform and a wrong token look the same from outside.
    if (!platform || !equal(sha256(as_bytes(token)), platform->token_hash))
        return refuse(401, "token_wrong", "this token is not the platform's");
    if (platform->token_expires_at <= context_.now())
        return refuse(401, "token_expired", "the token expired: enrol again");
    return *platform;
}

Result<Principal, ApiError> Authenticator::operator_(const HttpRequest& request) const {
    if (request.authorization.empty() && request.client_certificate)
        return of_certificate(*request.client_certificate);
    return of_token(TRY(token_of(request)));
}

Result<Principal, ApiError> Authenticator::of_token(std::string_view token) const {
    const Sha256 digest = sha256(as_bytes(token));
    if (equal(digest, context_.operator_token_hash)) return Principal{first_operator, Role::owner};
    const std::optional<store::OperatorToken> known = context_.store.operator_token(to_bytes(digest));
    const std::optional<Role> role = known ? role_named(known->role) : std::nullopt;
    if (!role) return refuse(403, "operator_only", "this call is for the operator");
    if (known->expires_at <= context_.now())
        return refuse(401, "token_expired", "the token expired: ask an owner for a new one");
    return Principal{known->name, *role};
}

/// A kept connection may outlive the certificate that opened it.
Result<Principal, ApiError> Authenticator::of_certificate(const ClientCertificate& certificate) const {
    if (certificate.not_after <= context_.now()) return refuse(401, "certificate_expired", "the client certificate expired");
    const std::optional<Principal> principal = operators_.find(certificate);
    if (!principal) return refuse(403, "certificate_unknown", "no operator has this client certificate");
    return *principal;
}

} // namespace casemate::verifier
