// SPDX-License-Identifier: Apache-2.0
// See files.hpp.
#include "attest/cli/files.hpp"

#include <fstream>
#include <iostream>
#include <iterator>

#include <sys/stat.h>
#include <unistd.h>

#include "attest/cli/command.hpp"

namespace casemate::cli {

namespace {

constexpr std::size_t max_file = 16 * 1024 * 1024;
constexpr std::size_t max_token = 4096;

std::string read_all(std::istream& stream, const std::string& path, std::size_t limit) {
    std::string text;
    char buffer[8192];
    while (stream.read(buffer, sizeof buffer) || stream.gcount() > 0) {
        text.append(buffer, static_cast<std::size_t>(stream.gcount()));
        if (text.size() > limit) throw CannotRun(path + " is larger than " + std::to_string(limit) + " bytes");
    }
    return text;
}

} // namespace

std::string read_file(const std::string& path) {
    if (path == "-") return read_all(std::cin, "standard input", max_file);
    std::ifstream stream{path, std::ios::binary};
    if (!stream) throw CannotRun("cannot read " + path);
    return read_all(stream, path, max_file);
}

std::string read_token(const std::string& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) throw CannotRun("cannot read the token file " + path);
    if (!S_ISREG(status.st_mode)) throw CannotRun("the token file " + path + " is not a regular file");
    if (status.st_uid != ::geteuid()) throw CannotRun("the token file " + path + " belongs to another user");
    if ((status.st_mode & 077) != 0)
        throw CannotRun("the token file " + path + " is open to other users: chmod go-rwx it, and have the token replaced");
    std::ifstream stream{path, std::ios::binary};
    std::string token = read_all(stream, path, max_token);
    while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
    if (token.empty() || token.find_first_of(" \t\r\n") != std::string::npos)
        throw CannotRun("the token file " + path + " does not hold one token");
    return token;
}

} // namespace casemate::cli
