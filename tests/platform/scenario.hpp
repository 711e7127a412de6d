// SPDX-License-Identifier: Apache-2.0
// One whole-system test: boots the emulated platform in some condition and states what must have happened.
// A scenario passes when it stated at least one expectation and every one held; it cannot pass by stating none.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace casemate::platform_test {

/// What a scenario is given and where it states its expectations.
class Context {
public:
    Context(std::filesystem::path build, std::filesystem::path log) : build_{std::move(build)}, log_{std::move(log)} {}

    /// Directory of the build's artefacts (bin/, images/, reference.json ...).
    [[nodiscard]] const std::filesystem::path& build() const { return build_; }
    /// Where the scenario's console log goes.
    [[nodiscard]] const std::filesystem::path& log() const { return log_; }

    /// Prints the sentence as held or broken; a broken one fails the scenario, which goes on.
    bool expect(bool held, const std::string& sentence);
    [[nodiscard]] bool passed() const { return stated_ > 0 && broken_ == 0; }

private:
    std::filesystem::path build_;
    std::filesystem::path log_;
    unsigned stated_ = 0;
    unsigned broken_ = 0;
};

struct Scenario {
    std::string name; // a sentence in words-with-dashes
    std::function<void(Context&)> run;
};

/// Every scenario, in the order in which they run; each file of this folder adds its own.
std::vector<Scenario>& scenarios();

/// `const Registration r{"name", [](Context& c) {...}};` at namespace scope.
struct Registration {
    Registration(std::string name, std::function<void(Context&)> run) {
        scenarios().push_back({std::move(name), std::move(run)});
    }
};

} // namespace casemate::platform_test
