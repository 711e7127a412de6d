// SPDX-License-Identifier: Apache-2.0
#include "tests/platform/operator.hpp"

#include "dlaunch/session/operator_client.hpp"

#include <future>

namespace casemate::platform_test {

using nlohmann::json;
using std::chrono::seconds;

std::string answer(Session& session, const std::filesystem::path& directory, const json& request, json* whole) {
    auto asked = std::async(std::launch::async, [&]() -> std::string {
        auto client = session::OperatorClient::connect(directory, std::nullopt);
        if (!client.ok()) return client.error().text;
        const auto got = client.value().ask(request);
        if (got.ok() && whole != nullptr) *whole = got.value();
        return got.ok() ? "" : got.error().text;
    });
    const auto ready = [&](const Observation&) { return asked.wait_for(seconds{0}) == std::future_status::ready; };
    (void)session.run_until(ready, seconds{60});
    return asked.get();
}

std::string order(Session& session, const std::filesystem::path& directory, const char* what, const char* vm) {
    return answer(session, directory, {{"do", "vm"}, {"order", what}, {"vm", vm}});
}

} // namespace casemate::platform_test
