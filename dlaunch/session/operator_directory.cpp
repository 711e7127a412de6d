// SPDX-License-Identifier: Apache-2.0
// See operator_directory.hpp.
#include "dlaunch/session/operator_directory.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <optional>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

namespace casemate::session {

namespace fs = std::filesystem;
using model::fail;
using model::fail_errno;
using model::Outcome;
using model::UniqueFd;

namespace {

constexpr int backlog = 16;
constexpr std::size_t max_sessions = 1024; // names looked at; more are somebody's joke

struct Address {
    sockaddr_un value{};

    explicit Address(const std::string& path) {
        value.sun_family = AF_UNIX;
        path.copy(value.sun_path, sizeof value.sun_path - 1); // of a fixed form that fits: path_of()
    }
    // SAFETY: the sockets interface takes every address through sockaddr.
    [[nodiscard]] const sockaddr* generic() const { return reinterpret_cast<const sockaddr*>(&value); }
};

UniqueFd new_socket() { return UniqueFd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)}; }

/// connect() would follow a symbolic link.
bool is_socket(int directory, const std::string& name) {
    struct stat about {};
    return ::fstatat(directory, name.c_str(), &about, AT_SYMLINK_NOFOLLOW) == 0 && S_ISSOCK(about.st_mode);
}

std::optional<int> session_number(std::string_view name) {
    int number = 0;
    const auto [end, problem] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (problem != std::errc{} || end != name.data() + name.size() || number <= 0) return std::nullopt;
    return number;
}

} // namespace

fs::path OperatorDirectory::usual_path() {
    const char* runtime = std::getenv("XDG_RUNTIME_DIR");
    const fs::path base{runtime != nullptr && *runtime != '\0' ? runtime : "/tmp"};
    return base / ("casemate-" + std::to_string(::geteuid()));
}

Outcome<OperatorDirectory> OperatorDirectory::create(const fs::path& path) {
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
        return fail_errno("cannot make " + path.string());
    return open(path);
}

Outcome<OperatorDirectory> OperatorDirectory::open(const fs::path& path) {
    UniqueFd directory{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
    if (!directory.valid()) return fail_errno("cannot open the directory " + path.string());
    struct stat about {};
    if (::fstat(directory.get(), &about) != 0) return fail_errno("cannot look at " + path.string());
    if (about.st_uid != ::geteuid()) return fail(path.string() + " belongs to another user");
    if ((about.st_mode & 0777) != 0700)
        return fail(path.string() + " is open to other users: its mode must be 0700");
    return OperatorDirectory{std::move(directory)};
}

/// Through the open descriptor: nobody can exchange the directory under us, and every path is short enough for a socket.
std::string OperatorDirectory::path_of(const std::string& name) const {
    return "/proc/self/fd/" + std::to_string(directory_.get()) + "/" + name;
}

Outcome<UniqueFd> OperatorDirectory::listen(int session) const {
    const std::string name = std::to_string(session);
    const std::string draft = name + ".new";
    (void)::unlinkat(directory_.get(), draft.c_str(), 0); // of an earlier process with our number
    UniqueFd listener = new_socket();
    const Address address{path_of(draft)};
    if (!listener.valid() || ::bind(listener.get(), address.generic(), sizeof address.value) != 0 ||
        ::listen(listener.get(), backlog) != 0 ||
        ::renameat(directory_.get(), draft.c_str(), directory_.get(), name.c_str()) != 0)
        return fail_errno("cannot listen for the operator");
    return listener;
}

Outcome<UniqueFd> OperatorDirectory::connect(int session) const {
    const std::string name = std::to_string(session);
    if (!is_socket(directory_.get(), name)) return fail("there is no session " + name);
    UniqueFd connection = new_socket();
    const Address address{path_of(name)};
    if (!connection.valid() || ::connect(connection.get(), address.generic(), sizeof address.value) != 0)
        return fail_errno("session " + name + " does not answer");
    if (!peer_is_same_user(connection.get())) return fail("session " + name + " is another user's");
    return connection;
}

std::vector<int> OperatorDirectory::numbers() const {
    const int copy = ::openat(directory_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const auto close = [](DIR* listing) { ::closedir(listing); };
    const std::unique_ptr<DIR, decltype(close)> listing{copy < 0 ? nullptr : ::fdopendir(copy), close};
    std::vector<int> found;
    while (listing && found.size() < max_sessions) {
        const dirent* entry = ::readdir(listing.get());
        if (entry == nullptr) break;
        const auto number = session_number(entry->d_name);
        if (number && is_socket(directory_.get(), std::to_string(*number))) found.push_back(*number);
    }
    std::ranges::sort(found);
    return found;
}

std::vector<int> OperatorDirectory::sessions() const {
    std::vector<int> alive;
    for (const int session : numbers()) {
        const UniqueFd probe = new_socket();
        const Address address{path_of(std::to_string(session))};
        if (::connect(probe.get(), address.generic(), sizeof address.value) == 0 || errno == EAGAIN)
            alive.push_back(session);
        else if (errno == ECONNREFUSED)
            remove(session);
    }
    return alive;
}

void OperatorDirectory::remove(int session) const {
    (void)::unlinkat(directory_.get(), std::to_string(session).c_str(), 0);
}

bool peer_is_same_user(int socket) {
    ucred peer{};
    socklen_t size = sizeof peer;
    return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && size == sizeof peer &&
           peer.uid == ::geteuid();
}

} // namespace casemate::session
