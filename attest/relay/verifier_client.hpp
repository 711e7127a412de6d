// SPDX-License-Identifier: Apache-2.0
// HTTPS calls to one verifier, whose authority is pinned: TLS 1.3, no proxy, no redirect, no other protocol, every
// call bounded in time and size. Not safe from several threads. Called by the relay; also by tests and tools.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace casemate::relay {

struct VerifierCall {
    std::string method; // GET, POST or DELETE
    std::string path;
    std::string token; // may be empty
    std::string body;  // may be empty
};

struct VerifierAnswer {
    int status = 0;    // 0 = no answer, `body` says why
    std::string body;
};

class VerifierClient {
public:
    /// `url` is https://host:port without a path; `authority` is a PEM file.
    VerifierClient(std::string url, std::filesystem::path authority, std::chrono::milliseconds call_time,
                   std::size_t max_answer);
    ~VerifierClient();
    VerifierClient(const VerifierClient&) = delete;
    VerifierClient& operator=(const VerifierClient&) = delete;

    /// From now on shows this TLS client certificate (PEM files).
    void show_certificate(const std::filesystem::path& certificate, const std::filesystem::path& key);

    /// For a machine without a clock that it could trust: the authority is pinned, the certificate's time is not looked at.
    void ignore_certificate_time() { check_time_ = false; }

    /// `stop` is asked some times a second; the call is given up when it says true.
    [[nodiscard]] VerifierAnswer call(const VerifierCall& call, const std::function<bool()>& stop = {});

private:
    struct Handle;
    std::unique_ptr<Handle> handle_;
    std::string url_;
    std::string authority_;
    std::string certificate_; // empty = none is shown
    std::string key_;
    std::chrono::milliseconds call_time_;
    std::size_t max_answer_;
    bool check_time_ = true;
};

} // namespace casemate::relay
