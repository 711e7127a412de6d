// SPDX-License-Identifier: Apache-2.0
// See result_token.hpp.
#include "attest/verifier/result_token.hpp"

#include <algorithm>

#include "attest/verifier/encoding.hpp"
#include "attest/verifier/json_text.hpp"
#include "attest/verifier/trust_vector.hpp"

namespace casemate::verifier {
namespace {

using Why = ResultRefusal::Why;

constexpr const char* profile = "tag:ietf.org,2026:rats/ear#04";
constexpr std::size_t max_token = 64 * 1024;
constexpr std::int64_t clock_skew = 60; // seconds that the reader's clock may be behind

Failure<ResultRefusal> refuse(Why why, std::string detail) { return {{why, std::move(detail)}}; }

/// Base64url without padding [RFC 7515 2].
std::string to_base64url(ByteView bytes) {
    std::string text = to_base64(bytes);
    for (char& letter : text) letter = letter == '+' ? '-' : letter == '/' ? '_' : letter;
    text.erase(text.find_last_not_of('=') + 1);
    return text;
}

std::optional<Bytes> from_base64url(std::string_view text) {
    if (text.find_first_of("+/=") != std::string_view::npos || text.size() % 4 == 1) return std::nullopt;
    std::string padded{text};
    std::replace(padded.begin(), padded.end(), '-', '+');
    std::replace(padded.begin(), padded.end(), '_', '/');
    padded.append((4 - padded.size() % 4) % 4, '=');
    return from_base64(padded);
}

std::string key_id(const ResultKey& key) { return to_hex(sha256(key)); }

Json codes_of(const Json& reasons) {
    Json codes = Json::array();
    for (const Json& reason : reasons) codes.push_back(reason["code"]);
    return codes;
}

std::string submodule(const Judgement& judgement, const std::string& platform_id) {
    JsonText claims;
    claims.text("ear_status", judgement.verdict())
        .raw("ear_trustworthiness_vector", trust_vector(judgement).dump())
        .text("casemate_platform_id", platform_id)
        .raw("casemate_reasons", codes_of(judgement.reasons()).dump())
        .text("casemate_explanation", judgement.explanation());
    if (!judgement.affirming()) return claims.object();
    const std::string reference = judgement.reference();
    return claims.raw("ear_appraisal_policy_ids", Json::array({"urn:casemate:reference:" + reference}).dump())
        .text("casemate_reference_id", reference)
        .raw("casemate_policy_epoch", std::to_string(judgement.appraisal().reference->policy->epoch))
        .text("casemate_launch_id", to_hex(judgement.appraisal().launch_id))
        .object();
}

std::string claims_of(const Judgement& judgement, const ResultSubject& subject) {
    return JsonText{}
        .text("eat_profile", profile)
        .number("iat", subject.issued_at / 1000)
        .number("exp", (subject.issued_at + subject.lifetime) / 1000)
        .text("jti", to_hex(random_bytes(16)))
        .text("eat_nonce", to_base64url(subject.nonce))
        .raw("ear_verifier_id", R"({"developer":"casemate","build":"casemate-verifierd 0.1.0"})")
        .raw("submods", JsonText{}.raw("platform", submodule(judgement, subject.platform_id)).object())
        .object();
}

struct Parts {
    std::string_view signing_input;
    Json header;
    Json claims;
    Bytes signature;
};

Result<Json, ResultRefusal> object_of(std::string_view part, const char* what) {
    const std::optional<Bytes> bytes = from_base64url(part);
    if (!bytes) return refuse(Why::shape, std::string(what) + " is not base64url");
    // SAFETY: char and std::uint8_t alias.
    const auto parsed = parse_object({reinterpret_cast<const char*>(bytes->data()), bytes->size()});
    if (!parsed) return refuse(Why::shape, std::string(what) + ": " + parsed.error().detail);
    return parsed.value();
}

Result<Parts, ResultRefusal> split(std::string_view token) {
    if (token.size() > max_token) return refuse(Why::shape, "longer than any result");
    const std::size_t first = token.find('.');
    const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
    if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos)
        return refuse(Why::shape, "not three parts with dots between them");
    const std::optional<Bytes> signature = from_base64url(token.substr(second + 1));
    if (!signature) return refuse(Why::shape, "the signature is not base64url");
    Json header = TRY(object_of(token.substr(0, first), "the header"));
    Json claims = TRY(object_of(token.substr(first + 1, second - first - 1), "the claims"));
    return Parts{token.substr(0, second), std::move(header), std::move(claims), *signature};
}

/// Only what we write: a header can then neither choose the algorithm nor bring a key along.
Status<ResultRefusal> check_header(const Json& header, const ResultKey& key) {
    if (!header.contains("alg") || header["alg"] != "ES256") return refuse(Why::algorithm, "the algorithm must be ES256");
    if (header.size() != 3 || header.value("typ", Json{}) != "JWT" || !header.contains("kid"))
        return refuse(Why::header, "the header must have alg, kid and typ \"JWT\", and nothing else");
    if (header["kid"] != key_id(key)) return refuse(Why::signature, "signed by another key");
    return Done{};
}

Status<ResultRefusal> check_signature(const Parts& parts, const ResultKey& point) {
    const auto key = measure::P256PublicKey::create(point);
    if (!key) return refuse(Why::signature, "the public key is no P-256 key");
    if (parts.signature.size() != cose::signature_size) return refuse(Why::signature, "the signature is not 64 bytes long");
    std::array<std::uint8_t, cose::signature_size> signature{};
    std::copy(parts.signature.begin(), parts.signature.end(), signature.begin());
    const bool good = measure::signature_is_low_s(signature) &&
                      key.value().verify(sha256(as_bytes(parts.signing_input)), signature);
    if (!good) return refuse(Why::signature, "the signature does not fit: changed, or by another key");
    return Done{};
}

/// A NumericDate [RFC 7519, 2] up to the end of the year 9999: what comes after a date is counted with it.
bool is_date(std::optional<std::int64_t> seconds) { return seconds && *seconds >= 0 && *seconds <= 253'402'300'799; }

Status<ResultRefusal> check_claims(const Json& claims, Millis now) {
    const Json::json_pointer status{"/submods/platform/ear_status"};
    const Json::json_pointer platform{"/submods/platform/casemate_platform_id"};
    const auto issued = whole_number(claims, "iat");
    const auto expires = whole_number(claims, "exp");
    const bool numbers = is_date(issued) && is_date(expires);
    const bool texts = claims.contains("eat_nonce") && claims["eat_nonce"].is_string() && claims.contains(status) &&
                       claims[status].is_string() && claims.contains(platform) && claims[platform].is_string();
    if (!numbers || !texts || claims.value("eat_profile", Json{}) != profile)
        return refuse(Why::claims, "not a result of the profile " + std::string(profile));
    const std::int64_t seconds = std::max<Millis>(0, now) / 1000;
    if (*expires <= seconds) return refuse(Why::expired, "the result has expired");
    if (*issued > seconds + clock_skew) return refuse(Why::not_yet, "the result was issued in the future");
    return Done{};
}

} // namespace

const char* name_of(Why why) {
    switch (why) {
    case Why::shape: return "result_shape";
    case Why::header: return "result_header";
    case Why::algorithm: return "result_algorithm";
    case Why::signature: return "result_signature";
    case Why::claims: return "result_claims";
    case Why::expired: return "result_expired";
    case Why::not_yet: return "result_not_yet";
    }
    return "result_shape";
}

namespace {

/// The same for all results by one key: made once a thread.
const std::string& header_of(const ResultKey& key) {
    thread_local ResultKey made_for{};
    thread_local std::string header;
    if (header.empty() || made_for != key) {
        const Json members{{"alg", "ES256"}, {"kid", key_id(key)}, {"typ", "JWT"}};
        header = to_base64url(as_bytes(members.dump())) + ".";
        made_for = key;
    }
    return header;
}

} // namespace

std::string sign_result(const Judgement& judgement, const ResultSubject& subject, const cose::Signer& key) {
    std::string text = header_of(key.public_key()) + to_base64url(as_bytes(claims_of(judgement, subject)));
    const auto signature = key.sign(as_bytes(text), {});
    if (!signature) throw CryptoFailure(std::string("cannot sign a result: ") + cose::describe(signature.error()));
    return text + "." + to_base64url(signature.value());
}

Result<Json, ResultRefusal> verify_result(std::string_view token, const ResultKey& key, Millis now) {
    Parts parts = TRY(split(token));
    TRY(check_header(parts.header, key));
    TRY(check_signature(parts, key));
    TRY(check_claims(parts.claims, now));
    return std::move(parts.claims);
}

} // namespace casemate::verifier
