// SPDX-License-Identifier: Apache-2.0
// See token_file.hpp.
#include "attest/client/token_file.hpp"

#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

namespace casemate::client {
namespace {

constexpr std::size_t max_token = 4096;

} // namespace

Result<std::string, std::string> read_token(const std::string& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) return Failure{"cannot read the token file " + path};
    if (!S_ISREG(status.st_mode)) return Failure{"the token file " + path + " is not a regular file"};
    if (status.st_uid != ::geteuid()) return Failure{"the token file " + path + " belongs to another user"};
    if ((status.st_mode & 077) != 0)
        return Failure{"the token file " + path + " is open to other users: chmod go-rwx it, and have the token replaced"};
    std::ifstream stream{path, std::ios::binary};
    std::string token(max_token + 1, '\0');
    stream.read(token.data(), static_cast<std::streamsize>(token.size()));
    token.resize(static_cast<std::size_t>(stream.gcount()));
    if (token.size() > max_token) return Failure{path + " is larger than " + std::to_string(max_token) + " bytes"};
    while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
    if (token.empty() || token.find_first_of(" \t\r\n") != std::string::npos)
        return Failure{"the token file " + path + " does not hold one token"};
    return token;
}

} // namespace casemate::client
