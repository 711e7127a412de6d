// SPDX-License-Identifier: Apache-2.0
// See browser.hpp.
#include "tests/page/browser.hpp"

#include <chrono>
#include <fstream>
#include <stdexcept>
#include <thread>

#include <curl/curl.h>

#include "attest/verifier/encoding.hpp"

namespace casemate::page {
namespace {

constexpr long call_seconds = 60;
constexpr int patience = 200; // times 100 ms
constexpr const char* element_key = "element-6066-11e4-a52e-4f735466cecf"; // [WebDriver 12.1]

void pause() { std::this_thread::sleep_for(std::chrono::milliseconds{100}); }

std::size_t receive(char* data, std::size_t size, std::size_t count, void* to) {
    static_cast<std::string*>(to)->append(data, size * count);
    return size * count;
}

Json options(const std::filesystem::path& directory) {
    const Json arguments{"--headless=new", "--no-sandbox", // root has no other way, and the page is ours
                         "--disable-dev-shm-usage", "--disable-gpu", "--disable-extensions", "--disable-background-networking",
                         "--disable-component-update", "--disable-breakpad", "--no-first-run", "--hide-scrollbars",
                         "--force-device-scale-factor=1", "--lang=en", "--window-size=1440,900",
                         "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", // nothing leaves this machine
                         "--user-data-dir=" + (directory / "profile").string()};
    return {{"capabilities",
             {{"alwaysMatch",
               {{"browserName", "chrome"},
                {"acceptInsecureCerts", true}, // the service's certificate is its own authority
                {"goog:loggingPrefs", {{"browser", "ALL"}, {"performance", "ALL"}}},
                {"goog:chromeOptions", {{"args", arguments}}}}}}}};
}

} // namespace

Browser::Browser(const std::filesystem::path& directory) : directory_{directory} {
    const std::string home = directory.string();
    driver_ = std::make_unique<Keeper>(std::vector<std::string>{"chromedriver", "--port=0"}, directory / "driver.log",
                                       std::vector<std::string>{"HOME=" + home, "TMPDIR=" + home, "XDG_CONFIG_HOME=" + home, "XDG_CACHE_HOME=" + home});
    start();
}

Browser::~Browser() {
    try {
        if (!session_.empty()) (void)in_session("DELETE", "");
    } catch (const std::exception&) { // the keeper ends it
    }
}

void Browser::start() {
    constexpr std::string_view announcement = "started successfully on port ";
    for (int i = 0; i < patience && url_.empty(); ++i) {
        std::ifstream stream{directory_ / "driver.log"};
        const std::string text{std::istreambuf_iterator<char>{stream}, {}};
        const std::size_t at = text.find(announcement);
        const std::size_t end = text.find('.', at == std::string::npos ? at : at + announcement.size());
        if (at != std::string::npos && end != std::string::npos)
            url_ = "http://127.0.0.1:" + text.substr(at + announcement.size(), end - at - announcement.size());
        else pause();
    }
    if (url_.empty()) throw std::runtime_error("chromedriver does not start");
    session_ = call("POST", "/session", options(directory_)).at("sessionId");
}

Json Browser::call(const char* method, const std::string& path, const Json& body) {
    const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl{curl_easy_init(), curl_easy_cleanup};
    const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers{curl_slist_append(nullptr, "Content-Type: application/json"), curl_slist_free_all};
    const std::string text = body.dump();
    std::string answer;
    curl_easy_setopt(curl.get(), CURLOPT_URL, (url_ + path).c_str());
    curl_easy_setopt(curl.get(), CURLOPT_PROXY, "");
    curl_easy_setopt(curl.get(), CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
    if (*method == 'P') curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, text.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, call_seconds);
    curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &receive);
    curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer);
    const CURLcode code = curl_easy_perform(curl.get());
    if (code != CURLE_OK) throw std::runtime_error(std::string("chromedriver: ") + curl_easy_strerror(code));
    const Json result = Json::parse(answer).at("value");
    if (result.is_object() && result.contains("error"))
        throw std::runtime_error(path + ": " + result.value("error", "") + ": " + result.value("message", ""));
    return result;
}

Json Browser::in_session(const char* method, const std::string& path, const Json& body) {
    return call(method, "/session/" + session_ + path, body);
}

void Browser::command(const std::string& name, const Json& parameters) {
    (void)in_session("POST", "/goog/cdp/execute", {{"cmd", name}, {"params", parameters}});
}

void Browser::go(const std::string& url) { (void)in_session("POST", "/url", {{"url", url}}); }

void Browser::resize(int width, int height) {
    command("Emulation.setDeviceMetricsOverride", {{"width", width}, {"height", height}, {"deviceScaleFactor", 1}, {"mobile", false}});
}

void Browser::use_scheme(const std::string& scheme) {
    command("Emulation.setEmulatedMedia", {{"features", {{{"name", "prefers-color-scheme"}, {"value", scheme}}}}});
}

Json Browser::value(const std::string& expression, const std::vector<std::string>& arguments) {
    return in_session("POST", "/execute/sync", {{"script", "return (" + expression + ");"}, {"args", arguments}});
}

void Browser::run(const std::string& statements, const std::vector<std::string>& arguments) {
    (void)in_session("POST", "/execute/sync", {{"script", statements}, {"args", arguments}});
}

void Browser::wait_for(const std::string& what, const std::string& expression, const std::vector<std::string>& arguments) {
    for (int i = 0; i < patience; ++i) {
        if (value("!!(" + expression + ")", arguments) == true) return;
        pause();
    }
    throw std::runtime_error("did not happen: " + what + "; the page shows: " + text("body").substr(0, 1500));
}

std::string Browser::element(const std::string& css) {
    return in_session("POST", "/element", {{"using", "css selector"}, {"value", css}}).at(element_key);
}

std::string Browser::text(const std::string& css) { return in_session("GET", "/element/" + element(css) + "/text").get<std::string>(); }

bool Browser::shown(const std::string& css) {
    return value("[...document.querySelectorAll(arguments[0])].some(each => each.checkVisibility())", {css}) == true;
}

void Browser::click(const std::string& css) { (void)in_session("POST", "/element/" + element(css) + "/click"); }

void Browser::type(const std::string& css, const std::string& text) {
    (void)in_session("POST", "/element/" + element(css) + "/value", {{"text", text}});
}

void Browser::press(const std::string& keys) {
    Json actions = Json::array();
    for (std::size_t at = 0; at < keys.size();) {
        const std::size_t size = (keys[at] & 0x80) == 0 ? 1 : 3; // ASCII, or one of `keys`, in UTF-8
        for (const char* kind : {"keyDown", "keyUp"}) actions.push_back({{"type", kind}, {"value", keys.substr(at, size)}});
        at += size;
    }
    (void)in_session("POST", "/actions", {{"actions", {{{"type", "key"}, {"id", "keyboard"}, {"actions", actions}}}}});
}

void Browser::tab_to(const std::string& css) {
    for (int i = 0; i < 60; ++i) {
        press(keys::tab);
        if (value("document.activeElement.matches(arguments[0])", {css}) == true) return;
    }
    throw std::runtime_error("the Tab key never comes to " + css);
}

void Browser::screenshot(const std::filesystem::path& file) {
    const auto image = verifier::from_base64(in_session("GET", "/screenshot").get<std::string>());
    if (!image) throw std::runtime_error("no screenshot");
    std::ofstream stream{file, std::ios::binary | std::ios::trunc};
    stream.write(reinterpret_cast<const char*>(image->data()), static_cast<std::streamsize>(image->size())); // SAFETY: bytes as bytes
    if (!stream.flush()) throw std::runtime_error("cannot write " + file.string());
}

Json Browser::log(const std::string& kind) { return in_session("POST", "/se/log", {{"type", kind}}); }

} // namespace casemate::page
