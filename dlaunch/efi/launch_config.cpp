// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/efi/launch_config.hpp"

#include <algorithm>

namespace casemate::efi {

namespace {

// Loops instead of string_view's searches: those call memchr, which a freestanding program does not have.

constexpr bool blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

std::string_view trim(std::string_view text) {
    while (!text.empty() && blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && blank(text.back())) text.remove_suffix(1);
    return text;
}

/// What is before the first `c`, or all of the text.
std::string_view before(std::string_view text, char c) {
    std::size_t size = 0;
    while (size < text.size() && text[size] != c) ++size;
    return {text.data(), size};
}

/// Takes the first line off `rest`, without its end and comment.
std::string_view next_line(std::string_view& rest) {
    const std::string_view line = before(rest, '\n');
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    return trim(before(line, '#'));
}

bool good_name(std::string_view name) {
    constexpr auto allowed = [](char c) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        return letter || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
    };
    return !name.empty() && name.size() < launch::image_name_size && std::ranges::all_of(name, allowed);
}

Status<ConfigProblem> set_once(std::string_view& slot, std::string_view name) {
    if (!slot.empty()) return Failure{ConfigProblem::key_twice};
    slot = name;
    return Done{};
}

Status<ConfigProblem> add_image(LaunchConfig& config, std::string_view name) {
    if (config.image_count == config.images.size()) return Failure{ConfigProblem::too_many_images};
    config.images[config.image_count++] = name;
    return Done{};
}

Status<ConfigProblem> apply(LaunchConfig& config, std::string_view line) {
    const std::size_t equals = before(line, '=').size();
    if (equals == line.size()) return Failure{ConfigProblem::no_equals};
    const std::string_view key = trim({line.data(), equals});
    const std::string_view name = trim({line.data() + equals + 1, line.size() - equals - 1});
    if (!good_name(name)) return Failure{ConfigProblem::bad_name};
    if (key == "slb") return set_once(config.slb, name);
    if (key == "hypervisor") return set_once(config.hypervisor, name);
    if (key == "policy") return set_once(config.policy, name);
    if (key == "image") return add_image(config, name);
    return Failure{ConfigProblem::unknown_key};
}

} // namespace

Result<LaunchConfig, ConfigError> LaunchConfig::parse(std::string_view text) {
    LaunchConfig config;
    for (unsigned number = 1; !text.empty(); ++number) {
        const std::string_view line = next_line(text);
        if (line.empty()) continue;
        const auto applied = apply(config, line);
        if (!applied.ok()) return Failure{ConfigError{applied.error(), number}};
    }
    if (config.slb.empty() || config.hypervisor.empty() || config.policy.empty())
        return Failure{ConfigError{ConfigProblem::key_missing, 0}};
    return config;
}

std::string_view describe(ConfigProblem problem) {
    switch (problem) {
    case ConfigProblem::no_equals: return "expected `key = file`";
    case ConfigProblem::unknown_key: return "unknown key; slb, hypervisor, policy and image are known";
    case ConfigProblem::key_twice: return "this key may appear once only";
    case ConfigProblem::bad_name: return "a file name has 1 to 31 letters, digits, dots, dashes and underscores";
    case ConfigProblem::too_many_images: return "at most 16 images";
    case ConfigProblem::key_missing: return "slb, hypervisor and policy must all be there";
    }
    return "unknown problem";
}

} // namespace casemate::efi
