// SPDX-License-Identifier: Apache-2.0
// See readiness.hpp.
#include "attest/verifier/readiness.hpp"

#include "attest/verifier/log.hpp"

namespace casemate::verifier {
namespace {

// No COSE Sig_structure begins so: that is an array.
constexpr std::string_view probe = "casemate readiness";

Json reason(const char* code, const char* detail) { return {{"code", code}, {"detail", detail}}; }

} // namespace

Readiness::Readiness(const Context& context, const cose::Signer& signer)
    : context_{context}, signer_{signer}, found_{Json::array({reason("starting", "the service has not looked yet")})} {}

Json Readiness::reasons() const {
    if (stopping_) return Json::array({reason("stopping", "the service is being stopped")});
    const std::chrono::milliseconds lifetime{context_.settings.ready_lifetime};
    const std::unique_lock looking{looking_, std::try_to_lock};
    {
        const std::lock_guard guard{lock_};
        if (!looking || (looked_ && std::chrono::steady_clock::now() - *looked_ < lifetime)) return found_;
    }
    Json found = look();
    const std::lock_guard guard{lock_};
    found_ = std::move(found);
    looked_ = std::chrono::steady_clock::now();
    context_.metrics->ready(found_.empty());
    return found_;
}

/// Strangers are told the word; what the failure said is for the log.
Json Readiness::look() const {
    Json found = Json::array();
    try {
        context_.store.check();
    } catch (const store::OtherSchema& other) {
        log(LogLevel::error, "not_ready", {{"why", other.what()}});
        found.push_back(reason("store_schema", "the store has another schema than this program's"));
    } catch (const std::exception& failure) {
        log(LogLevel::error, "not_ready", {{"why", failure.what()}});
        found.push_back(reason("store_unavailable", "the store does not answer"));
    }
    if (const auto signature = signer_.sign(as_bytes(probe), {}); !signature) {
        log(LogLevel::error, "not_ready", {{"why", cose::describe(signature.error())}});
        found.push_back(reason("signing_unavailable", "the key that signs grants cannot be used"));
    }
    return found;
}

} // namespace casemate::verifier
