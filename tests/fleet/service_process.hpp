// SPDX-License-Identifier: Apache-2.0
// casemate-verifierd as a child with a store of its own, on the loopback interface, on a free port if not told otherwise; ends with its
// owner.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

namespace casemate::fleet {

class ServiceProcess {
public:
    /// `directory`: where store, port file and log go; must be there. Returns when the service listens; throws
    /// std::runtime_error with its last words when it does not.
    ServiceProcess(const std::filesystem::path& program, const std::filesystem::path& directory, std::vector<std::string> options,
                   const std::string& listen = "127.0.0.1:0");
    ~ServiceProcess();
    ServiceProcess(const ServiceProcess&) = delete;
    ServiceProcess& operator=(const ServiceProcess&) = delete;

    /// SIGTERM, and the exit status; -1 when it ended by a signal.
    int stop();
    [[nodiscard]] std::uint16_t port() const { return port_; }
    /// The store of a stopped service.
    [[nodiscard]] std::filesystem::path database() const { return directory_ / "state" / "verifier.sqlite"; }
    /// Resident now and at most until now, KiB, and processor time until now, seconds: /proc/PID/status and stat.
    [[nodiscard]] long resident_kib(const char* key = "VmRSS:") const;
    [[nodiscard]] double processor_seconds() const;

private:
    void wait_until_it_listens();

    std::filesystem::path directory_;
    pid_t pid_ = -1;
    std::uint16_t port_ = 0;
};

} // namespace casemate::fleet
