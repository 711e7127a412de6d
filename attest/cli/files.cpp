// SPDX-License-Identifier: Apache-2.0
// See files.hpp.
#include "attest/cli/files.hpp"

#include <fstream>
#include <iostream>
#include <iterator>

#include "attest/cli/command.hpp"

namespace casemate::cli {

namespace {

constexpr std::size_t max_file = 16 * 1024 * 1024;

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

} // namespace casemate::cli
