// SPDX-License-Identifier: Apache-2.0
#include "tests/platform/model/scene.hpp"

#include "dlaunch/model/esp.hpp"

#include <fstream>
#include <stdexcept>

namespace casemate::model::test {
namespace {

constexpr std::chrono::seconds patience{150};

template <typename T>
T need(Outcome<T> outcome) {
    if (!outcome) throw std::runtime_error(outcome.error().text);
    return std::move(outcome).value();
}

} // namespace

Scene::Scene(PlatformConfig config) : scratch_{need(StateDir::create())} {
    config.esp = scratch_.path() / "esp.img";
    need(build_esp({{"EFI/BOOT/BOOTX64.EFI", CASEMATE_SKINIT_GUEST}}, config.esp));
    PlatformEvents events;
    events.on_console_line = [this](const std::string& line) { lines.push_back(line); };
    events.on_launch = [this](const LaunchRecord& record) { launches.push_back(record); };
    platform_ = need(Platform::start(std::move(config), std::move(events)));
}

bool Scene::said(const std::string& text) const {
    return std::any_of(lines.begin(), lines.end(),
                       [&](const std::string& line) { return line.find(text) != std::string::npos; });
}

bool Scene::sees(const std::string& text) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!said(text) && !platform_->ending() && std::chrono::steady_clock::now() < deadline)
        platform_->step(Millis{100});
    return said(text);
}

bool Scene::ends() {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!platform_->ending() && std::chrono::steady_clock::now() < deadline) platform_->step(Millis{100});
    return platform_->ending().has_value();
}

std::vector<std::uint8_t> file_bytes(const std::filesystem::path& path) {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

} // namespace casemate::model::test
