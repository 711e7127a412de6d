// SPDX-License-Identifier: Apache-2.0
// A headless Chromium, spoken to by chromedriver in the W3C WebDriver protocol: JSON over HTTP on the loopback interface.
// Keys and clicks are the browser's own, as a person's. Whatever does not go as asked throws std::runtime_error with the driver's words.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "attest/verifier/json.hpp"
#include "tests/page/keeper.hpp"

namespace casemate::page {

using verifier::Json;

/// Keys without a letter [WebDriver 17.4.2].
namespace keys {
inline constexpr const char* tab = "\uE004";
inline constexpr const char* enter = "\uE007";
inline constexpr const char* escape = "\uE00C";
} // namespace keys

class Browser {
public:
    /// `directory`: for everything that it writes.
    explicit Browser(const std::filesystem::path& directory);
    ~Browser();
    Browser(const Browser&) = delete;
    Browser& operator=(const Browser&) = delete;

    void go(const std::string& url);
    void resize(int width, int height);
    void use_scheme(const std::string& scheme); // "light" or "dark"

    /// The value of a JavaScript expression; `arguments` in it are those given.
    [[nodiscard]] Json value(const std::string& expression, const std::vector<std::string>& arguments = {});
    void run(const std::string& statements, const std::vector<std::string>& arguments = {});
    /// Until the expression is true; bounded, and then a failure that names `what`.
    void wait_for(const std::string& what, const std::string& expression, const std::vector<std::string>& arguments = {});

    /// Text that is shown of the first element that fits.
    [[nodiscard]] std::string text(const std::string& css);
    [[nodiscard]] bool shown(const std::string& css);
    void click(const std::string& css);
    void type(const std::string& css, const std::string& text);
    /// To whoever has the focus: each key by itself.
    void press(const std::string& keys);
    /// Tab until the focus is on what fits; a failure when it does not come by.
    void tab_to(const std::string& css);

    void screenshot(const std::filesystem::path& file);
    /// What was logged since it was asked last: "browser" (console, policy violations), "performance" (every request).
    [[nodiscard]] Json log(const std::string& kind);

private:
    void start();
    [[nodiscard]] Json call(const char* method, const std::string& path, const Json& body);
    [[nodiscard]] Json in_session(const char* method, const std::string& path, const Json& body = Json::object());
    void command(const std::string& name, const Json& parameters);
    [[nodiscard]] std::string element(const std::string& css);

    std::filesystem::path directory_;
    std::unique_ptr<Keeper> driver_;
    std::string url_;
    std::string session_;
};

} // namespace casemate::page
