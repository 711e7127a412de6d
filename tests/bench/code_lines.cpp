// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/code_lines.hpp"

#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace casemate::bench {

namespace fs = std::filesystem;

namespace {

/// Walks the text once; knows whether it is in a comment or a literal.
class LineCounter {
public:
    std::size_t count(std::string_view source) {
        for (std::size_t i = 0; i < source.size(); ++i) {
            const char next = i + 1 < source.size() ? source[i + 1] : '\0';
            if (source[i] == '\n') end_line();
            else if (take(source[i], next)) ++i;
        }
        end_line();
        return lines_;
    }

private:
    enum class In { code, line_comment, block_comment, literal };

    /// True when it used `next` too.
    bool take(char c, char next) {
        switch (in_) {
        case In::line_comment: return false;
        case In::block_comment: return c == '*' && next == '/' ? (in_ = In::code, true) : false;
        case In::literal:
            has_code_ = true;
            if (c == quote_) in_ = In::code;
            return c == '\\' && next != '\n';
        case In::code: return take_code(c, next);
        }
        return false;
    }
    bool take_code(char c, char next) {
        if (c == '/' && next == '/') return in_ = In::line_comment, true;
        if (c == '/' && next == '*') return in_ = In::block_comment, true;
        const bool separator = c == '\'' && is_digit(last_) && is_digit(next); // 1'000
        if ((c == '"' || c == '\'') && !separator) {
            in_ = In::literal;
            quote_ = c;
        }
        if (c != ' ' && c != '\t' && c != '\r') has_code_ = true;
        last_ = c;
        return false;
    }
    static bool is_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
    void end_line() {
        lines_ += has_code_ ? 1 : 0;
        has_code_ = false;
        if (in_ != In::block_comment) in_ = In::code; // a literal ends with its line: an apostrophe in assembly is none
    }

    In in_ = In::code;
    char quote_ = 0;
    char last_ = 0;
    bool has_code_ = false;
    std::size_t lines_ = 0;
};

std::vector<std::string> lines_of(const std::string& command) {
    std::vector<std::string> lines;
    const std::unique_ptr<FILE, decltype(&pclose)> pipe{popen(command.c_str(), "r"), &pclose};
    char buffer[4096];
    while (pipe && std::fgets(buffer, sizeof buffer, pipe.get()) != nullptr) {
        lines.emplace_back(buffer);
        while (!lines.back().empty() && lines.back().back() == '\n') lines.back().pop_back();
    }
    return lines;
}

/// For the shell: single quotes, and those inside written as '\''.
std::string quoted(const std::string& text) {
    std::string result = "'";
    for (const char c : text) result += c == '\'' ? std::string{"'\\''"} : std::string{c};
    return result + "'";
}

/// What each object was compiled from, as ninja recorded it: "OBJECT: #deps ...", then indented paths.
std::map<std::string, Files> dependencies(const std::string& ninja) {
    std::map<std::string, Files> all;
    Files* current = nullptr;
    for (const std::string& line : lines_of(ninja + " -t deps")) {
        if (line.starts_with("    ")) {
            if (current != nullptr) current->insert(line.substr(4));
        } else if (const auto colon = line.find(": #deps"); colon != std::string::npos) {
            current = &all[line.substr(0, colon)];
        }
    }
    return all;
}

bool is_source(const fs::path& file) {
    const std::string kind = file.extension();
    return kind == ".cpp" || kind == ".hpp" || kind == ".S" || kind == ".ld" || kind == ".lds";
}

} // namespace

std::size_t code_lines(std::string_view source) { return LineCounter{}.count(source); }

std::size_t code_lines(const Files& files) {
    std::size_t total = 0;
    for (const fs::path& file : files) {
        std::ifstream in{file};
        total += code_lines(std::string{std::istreambuf_iterator<char>{in}, {}});
    }
    return total;
}

Files source_files(const fs::path& directory) {
    Files files;
    for (const auto& entry : fs::recursive_directory_iterator{directory})
        if (entry.is_regular_file() && is_source(entry.path())) files.insert(entry.path());
    return files;
}

Files compiled_into(const fs::path& build, const std::string& target, const fs::path& source) {
    const std::string ninja = "ninja -C " + quoted(build.string()) + " --quiet";
    const auto objects = dependencies(ninja);
    Files files;
    const auto keep = [&](const fs::path& file) {
        const bool ours = file.string().starts_with(source.string() + "/") && !file.string().starts_with(build.string() + "/");
        if (ours && is_source(file)) files.insert(file);
    };
    for (const std::string& input : lines_of(ninja + " -t inputs " + quoted(target))) {
        keep(input);
        const auto found = objects.find(input);
        if (found == objects.end()) continue;
        for (const fs::path& file : found->second) keep(file);
    }
    return files;
}

} // namespace casemate::bench
