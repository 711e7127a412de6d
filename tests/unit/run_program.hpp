// SPDX-License-Identifier: Apache-2.0
// A program as a user runs it: one command line of the shell, without input.
#pragma once

#include <catch2/catch.hpp>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

#include <sys/wait.h>

namespace casemate::test {

struct Ran {
    int status = -1;
    std::string output; // both streams
    [[nodiscard]] bool says(const std::string& text) const { return output.find(text) != std::string::npos; }
    [[nodiscard]] nlohmann::json json() const { return nlohmann::json::parse(output); }
};

inline Ran run_program(const std::string& command) {
    std::FILE* pipe = ::popen((command + " 2>&1 </dev/null").c_str(), "r");
    REQUIRE(pipe != nullptr);
    Ran ran;
    char buffer[4096];
    while (const std::size_t count = std::fread(buffer, 1, sizeof buffer, pipe)) ran.output.append(buffer, count);
    ran.status = WEXITSTATUS(::pclose(pipe));
    return ran;
}

} // namespace casemate::test
