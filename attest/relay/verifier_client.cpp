// SPDX-License-Identifier: Apache-2.0
// See verifier_client.hpp.
#include "attest/relay/verifier_client.hpp"

#include <array>
#include <stdexcept>
#include <utility>

#include <curl/curl.h>
#include <openssl/ssl.h>

namespace casemate::relay {
namespace {

struct CurlGlobal {
    CurlGlobal() { curl_global_init(CURL_GLOBAL_DEFAULT); }
    ~CurlGlobal() { curl_global_cleanup(); }
};

struct Received {
    std::string body;
    std::size_t limit;
    const std::function<bool()>& stop;
};

std::size_t receive(const char* bytes, std::size_t, std::size_t size, void* user) {
    auto& received = *static_cast<Received*>(user);
    if (size > received.limit - received.body.size()) return 0; // curl ends the call
    received.body.append(bytes, size);
    return size;
}

int progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    const auto& received = *static_cast<Received*>(user);
    return received.stop && received.stop() ? 1 : 0;
}

CURLcode without_time(CURL*, void* context, void*) {
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(static_cast<SSL_CTX*>(context)), X509_V_FLAG_NO_CHECK_TIME);
    return CURLE_OK;
}

using Headers = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

Headers headers_of(const VerifierCall& call) {
    curl_slist* list = curl_slist_append(nullptr, "Expect:");
    list = curl_slist_append(list, "Content-Type: application/json");
    if (!call.token.empty()) list = curl_slist_append(list, ("Authorization: Bearer " + call.token).c_str());
    return {list, &curl_slist_free_all};
}

} // namespace

struct VerifierClient::Handle {
    CURL* curl = nullptr;
    Handle() {
        static const CurlGlobal global;
        curl = curl_easy_init();
        if (curl == nullptr) throw std::runtime_error("libcurl cannot start");
    }
    ~Handle() { curl_easy_cleanup(curl); }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
};

VerifierClient::VerifierClient(std::string url, std::filesystem::path authority, std::chrono::milliseconds call_time,
                               std::size_t max_answer)
    : handle_{std::make_unique<Handle>()}, url_{std::move(url)}, authority_{authority.string()},
      call_time_{call_time}, max_answer_{max_answer} {}

VerifierClient::~VerifierClient() = default;

void VerifierClient::show_certificate(const std::filesystem::path& certificate, const std::filesystem::path& key) {
    certificate_ = certificate.string();
    key_ = key.string();
}

VerifierAnswer VerifierClient::call(const VerifierCall& call, const std::function<bool()>& stop) {
    CURL* curl = handle_->curl;
    Received received{{}, max_answer_, stop};
    std::array<char, CURL_ERROR_SIZE> reason{};
    const Headers headers = headers_of(call);
    curl_easy_reset(curl); // keeps the open connection
    curl_easy_setopt(curl, CURLOPT_URL, (url_ + call.path).c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_CAINFO, authority_.c_str());
    curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);
    if (!certificate_.empty()) {
        curl_easy_setopt(curl, CURLOPT_SSLCERT, certificate_.c_str());
        curl_easy_setopt(curl, CURLOPT_SSLKEY, key_.c_str());
    }
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_3});
    if (!check_time_) curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, &without_time);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call.method.c_str());
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
    if (call.method == "POST") {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call.body.data());
    }
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(call_time_.count()));
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason.data());
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &receive);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &received);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &received);
    const CURLcode code = curl_easy_perform(curl);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, nullptr); // it points into this frame
    if (code != CURLE_OK) return {0, reason[0] != '\0' ? reason.data() : curl_easy_strerror(code)};
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    return {static_cast<int>(status), std::move(received.body)};
}

} // namespace casemate::relay
