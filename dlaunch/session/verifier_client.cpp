// SPDX-License-Identifier: Apache-2.0
// See verifier_client.hpp.
#include "dlaunch/session/verifier_client.hpp"

#include <curl/curl.h>

#include <fstream>
#include <memory>
#include <optional>

namespace casemate::session {

namespace {

constexpr long time_limit_s = 10;

using Handle = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
using Headers = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

std::size_t append(char* data, std::size_t size, std::size_t count, void* to) {
    static_cast<std::string*>(to)->append(data, size * count);
    return size * count;
}

std::string first_line(const std::filesystem::path& file) {
    std::ifstream in{file};
    std::string line;
    std::getline(in, line);
    return line;
}

nlohmann::json call(const VerifierClient& client, const char* method, const std::string& path, const std::optional<std::string>& body = {}) {
    const Handle curl{curl_easy_init(), &curl_easy_cleanup};
    if (!curl) return nullptr;
    const std::string authorization = "Authorization: Bearer " + first_line(client.token);
    Headers headers{curl_slist_append(nullptr, authorization.c_str()), &curl_slist_free_all};
    curl_slist_append(headers.get(), "Content-Type: application/json");
    std::string answer;
    curl_easy_setopt(curl.get(), CURLOPT_URL, (client.url + path).c_str());
    curl_easy_setopt(curl.get(), CURLOPT_CAINFO, client.ca.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, time_limit_s);
    curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &append);
    curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer);
    curl_easy_setopt(curl.get(), CURLOPT_CUSTOMREQUEST, method);
    if (body) curl_easy_setopt(curl.get(), CURLOPT_COPYPOSTFIELDS, body->c_str());
    if (curl_easy_perform(curl.get()) != CURLE_OK) return nullptr;
    return nlohmann::json::parse(answer, nullptr, false);
}

} // namespace

nlohmann::json VerifierClient::get(const std::string& path) const { return call(*this, "GET", path); }

nlohmann::json VerifierClient::post(const std::string& path, const nlohmann::json& body) const {
    return call(*this, "POST", path, body.dump());
}

nlohmann::json VerifierClient::remove(const std::string& path) const { return call(*this, "DELETE", path); }

} // namespace casemate::session
