// SPDX-License-Identifier: Apache-2.0
// See private_directory.hpp.
#include "keys/private_directory.hpp"

#include "keys/openssl_handles.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <unistd.h>

namespace casemate::keys {
namespace {

[[noreturn]] void fail(const std::string& what) { throw KeyError{what + ": " + std::strerror(errno)}; }

void refuse_shared(const std::string& path, const struct stat& status) {
    if (status.st_uid != geteuid()) throw KeyError{path + " belongs to another user"};
    if ((status.st_mode & 077) != 0) throw KeyError{path + " is open to other users: chmod go-rwx it"};
}

void write_all(int file, std::string_view text, const std::string& path) {
    while (!text.empty()) {
        const ssize_t count = ::write(file, text.data(), text.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) fail("cannot write " + path);
        text.remove_prefix(static_cast<std::size_t>(count));
    }
    if (::fsync(file) != 0) fail("cannot write " + path);
}

} // namespace

PrivateDirectory PrivateDirectory::create(const std::string& path) {
    const auto parent = std::filesystem::absolute(path).lexically_normal().parent_path();
    std::filesystem::create_directories(parent);
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) fail("cannot make " + path);
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) fail("cannot look at " + path);
    if (!S_ISDIR(status.st_mode)) throw KeyError{path + " is not a directory"};
    refuse_shared(path, status);
    return PrivateDirectory{path};
}

std::optional<std::string> PrivateDirectory::read(const std::string& name) const {
    const std::string path = path_ + "/" + name;
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) {
        if (errno == ENOENT) return std::nullopt;
        fail("cannot look at " + path);
    }
    if (!S_ISREG(status.st_mode)) throw KeyError{path + " is not a regular file"};
    refuse_shared(path, status);
    std::ifstream stream{path, std::ios::binary};
    if (!stream) fail("cannot read " + path);
    return std::string{std::istreambuf_iterator<char>{stream}, {}};
}

std::vector<std::string> PrivateDirectory::names() const {
    std::vector<std::string> all;
    for (const auto& entry : std::filesystem::directory_iterator{path_}) all.push_back(entry.path().filename());
    std::sort(all.begin(), all.end());
    return all;
}

void PrivateDirectory::move(const std::string& from, const std::string& to) const {
    const std::string old_path = path_ + "/" + from, new_path = path_ + "/" + to;
    if (::renameat2(AT_FDCWD, old_path.c_str(), AT_FDCWD, new_path.c_str(), RENAME_NOREPLACE) != 0) fail("cannot move " + old_path);
}

void PrivateDirectory::write_new(const std::string& name, std::string_view text) const {
    const std::string path = path_ + "/" + name;
    std::string aside = path + ".XXXXXX";
    const int file = ::mkostemp(aside.data(), O_CLOEXEC); // mode 0600
    if (file < 0) fail("cannot make a file in " + path_);
    try {
        write_all(file, text, path);
        if (::link(aside.c_str(), path.c_str()) != 0) fail("cannot make " + path); // fails if it exists
    } catch (...) {
        ::close(file);
        ::unlink(aside.c_str());
        throw;
    }
    ::close(file);
    ::unlink(aside.c_str());
}

} // namespace casemate::keys
