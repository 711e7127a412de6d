// SPDX-License-Identifier: Apache-2.0
// See service_process.hpp.
#include "tests/fleet/service_process.hpp"

#include "tests/fleet/child_program.hpp"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace casemate::fleet {
namespace {

std::string read_text(const std::filesystem::path& file) {
    std::ifstream stream{file};
    return {std::istreambuf_iterator<char>{stream}, {}};
}

} // namespace

ServiceProcess::ServiceProcess(const std::filesystem::path& program, const std::filesystem::path& directory,
                               std::vector<std::string> options, const std::string& listen)
    : directory_{directory} {
    std::vector<std::string> command{program, "--listen", listen, "--port-file", directory / "port"};
    if (std::find(options.begin(), options.end(), "--store") == options.end())
        command.insert(command.end(), {"--state", directory / "state"});
    command.insert(command.end(), options.begin(), options.end());
    std::filesystem::remove(directory / "port");
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("cannot start a process");
    if (pid_ == 0) become(command, directory / "service.log");
    wait_until_it_listens();
}

ServiceProcess::~ServiceProcess() { stop(); }

void ServiceProcess::wait_until_it_listens() {
    constexpr int patience = 6000; // times 10 ms: a large store takes time to open
    for (int i = 0; i < patience; ++i) {
        if (const std::string text = read_text(directory_ / "port"); !text.empty()) {
            port_ = static_cast<std::uint16_t>(std::stoul(text));
            return;
        }
        if (::waitpid(pid_, nullptr, WNOHANG) == pid_) {
            pid_ = -1;
            throw std::runtime_error("casemate-verifierd does not start: " + read_text(directory_ / "service.log"));
        }
        ::usleep(10'000);
    }
    stop();
    throw std::runtime_error("casemate-verifierd does not listen");
}

int ServiceProcess::stop() {
    if (pid_ < 0) return -1;
    int status = 0;
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

long ServiceProcess::resident_kib(const char* key) const {
    const std::string status = read_text("/proc/" + std::to_string(pid_) + "/status");
    const std::size_t at = status.find(key);
    return at == std::string::npos ? 0 : std::stol(status.substr(at + std::string_view{key}.size()));
}

double ServiceProcess::processor_seconds() const {
    std::string stat = read_text("/proc/" + std::to_string(pid_) + "/stat");
    std::size_t at = stat.rfind(')'); // the name before may hold anything; utime and stime are fields 14 and 15
    for (int field = 2; field < 14; ++field) at = stat.find(' ', at + 1);
    std::size_t used = 0;
    const double user = std::stod(stat.substr(at), &used);
    return (user + std::stod(stat.substr(at + used))) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

} // namespace casemate::fleet
