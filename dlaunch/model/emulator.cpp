// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/model/emulator.hpp"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <memory>

namespace casemate::model {
namespace {

/// For a shell; the path is its user's own.
std::string quoted(const std::string& path) {
    std::string text = "'";
    for (const char c : path) text += c == '\'' ? std::string{"'\\''"} : std::string{c};
    return text + "'";
}

std::string first_line_of(const std::string& command) {
    const std::unique_ptr<std::FILE, decltype(&::pclose)> pipe{::popen(command.c_str(), "r"), &::pclose};
    char line[256];
    return pipe && std::fgets(line, sizeof line, pipe.get()) != nullptr ? line : "";
}

Emulator find_emulator() {
    Emulator found;
    if (const char* const named = std::getenv("CASEMATE_QEMU"); named != nullptr && *named != '\0') found.program = named;
    if (const unsigned major = major_version(first_line_of(quoted(found.program) + " --version 2> /dev/null")); major != 0) found.major = major;
    return found;
}

} // namespace

unsigned major_version(std::string_view text) {
    constexpr std::string_view before = "QEMU emulator version ";
    if (!text.starts_with(before)) return 0;
    unsigned major = 0;
    std::from_chars(text.data() + before.size(), text.data() + text.size(), major);
    return major;
}

const Emulator& emulator() {
    static const Emulator found = find_emulator();
    return found;
}

} // namespace casemate::model
