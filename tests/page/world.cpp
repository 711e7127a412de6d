// SPDX-License-Identifier: Apache-2.0
// See world.hpp.
#include "tests/page/world.hpp"

#include <cstdlib>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace casemate::page {
namespace {

using fleet::EkKind;
using fleet::Player;
using fleet::Reply;
using fleet::Task;

std::filesystem::path beside_this_program(const char* name) {
    return std::filesystem::read_symlink("/proc/self/exe").parent_path() / name;
}

std::vector<std::string> with(std::vector<std::string> options, const std::vector<std::string>& more) {
    options.insert(options.end(), more.begin(), more.end());
    return options;
}

/// Rounds of evidence: the first brings grants, the second tells that they were accepted and renews them.
Task<Reply> live(Player& player, int rounds) {
    co_await player.connect();
    Reply reply = co_await player.enrol();
    if (reply.status != 200) throw std::runtime_error("not enrolled: " + reply.word());
    for (int i = 0; i < rounds; ++i) reply = co_await player.attest();
    co_return reply;
}

Task<Reply> attest_anew(Player& player) {
    co_await player.connect();
    co_return co_await player.attest();
}

Task<Reply> call_anew(Player& player, fleet::HttpCall call) {
    co_await player.connect();
    co_return co_await player.call(std::move(call));
}

} // namespace

World& World::get() {
    static World world;
    return world;
}

World::World() : other_build_{materials_.model().reference(), cose::Signer::from_pem_file(materials_.file("grant.key").string()).value()} {
    other_build_.change_hypervisor();
    start_service();
    stage_.reset(new fleet::Stage{io_, *target_, materials_.authority(), materials_.model(), materials_.grant_key(), 0, {}});
    other_stage_.reset(new fleet::Stage{io_, *target_, materials_.authority(), other_build_, materials_.grant_key(), 0, {}});
    for (const char* label : {"berlin-01", "berlin-02", "berlin-03", "berlin-04", "lyon-01", "lyon-02", "lyon-03", "porto-01", hostile_label})
        add(label, *stage_, 2);
    add("porto-02", *stage_, 0);
    add("porto-03", *stage_, 0);
    add("lyon-04", *other_stage_, 1);
    add("old-lab", *stage_, 2);
    label_platforms();
    make_tokens();
    (void)as("owner", "POST", "/v1/platforms/" + id("old-lab") + "/quarantine");
    std::filesystem::create_directory(scratch_ / "browser");
    browser = std::make_unique<Browser>(scratch_ / "browser");
}

void World::start_service() {
    const std::string listen = "127.0.0.1:" + std::to_string(port_);
    service_ = std::make_unique<fleet::ServiceProcess>(beside_this_program("casemate-verifierd"), scratch_.path(),
                                                       with(materials_.verifier_options(), {"--quiet"}), listen);
    port_ = service_->port();
    if (!target_) target_ = std::make_unique<fleet::Target>(port_, materials_.file("tls.pem"));
}

template <typename T>
T World::wait(Task<T> task) {
    std::optional<T> result;
    std::exception_ptr failure;
    boost::asio::co_spawn(io_, std::move(task), [&](std::exception_ptr problem, T value) {
        failure = problem;
        result = std::move(value);
    });
    io_.restart();
    io_.run();
    if (failure) std::rethrow_exception(failure);
    return std::move(*result);
}

Player& World::player(const std::string& label) { return *players_.at(label); }

void World::add(const std::string& label, fleet::Stage& stage, int rounds) {
    auto& player = players_[label] = std::make_unique<Player>(stage, EkKind::ecc_p256);
    (void)wait(live(*player, rounds));
}

void World::label_platforms() {
    Json entries = Json::array();
    for (const auto& [label, player] : players_) entries.push_back({{"platform_id", player->platform().id()}, {"label", label}});
    tokens_["owner"] = materials_.operator_token();
    const Reply reply = as("owner", "POST", "/v1/inventory", Json{{"entries", entries}}.dump());
    if (reply.status != 200) throw std::runtime_error("no labels: " + reply.word());
}

void World::make_tokens() {
    for (const auto& [role, name] : {std::pair{"viewer", "vera"}, {"operator", "oscar"}})
        tokens_[role] = as("owner", "POST", "/v1/tokens", Json{{"name", name}, {"role", role}, {"lifetime_seconds", 3600}}.dump()).body.at("token");
}

Reply World::as(const std::string& role, const std::string& method, const std::string& path, const std::string& body) {
    return wait(call_anew(player("berlin-01"), {method, path, token(role), body}));
}

Reply World::attest(const std::string& label) { return wait(attest_anew(player(label))); }

Json World::grants(const std::string& label) {
    return as("viewer", "GET", "/v1/platforms/" + id(label) + "/detail").body.at("grants");
}

void World::open() {
    browser->resize(1440, 900);
    browser->use_scheme("light");
    browser->run("document.querySelector('#sign-out')?.click()"); // who was here before
    browser->go(origin() + "/");
    browser->wait_for("the form", "document.activeElement.id === 'token'");
}

void World::sign_in(const std::string& role) {
    open();
    browser->type("#token", token(role));
    browser->click("button[type=submit]");
    browser->wait_for("signed in, live", "document.querySelector('#live-state')?.textContent === 'Live'");
}

std::string World::console(const std::string& statuses) {
    std::string all;
    for (const Json& entry : browser->log("browser")) {
        const std::string text = entry.at("message");
        const std::size_t at = text.find("with a status of ");
        const bool expected = at != std::string::npos && statuses.find(text.substr(at + 17, 3)) != std::string::npos;
        if (!expected) all += text + "\n";
    }
    return all;
}

std::string World::elsewhere() {
    std::string all;
    for (const Json& entry : browser->log("performance")) {
        const Json message = Json::parse(entry.at("message").get<std::string>()).at("message");
        if (message.at("method") != "Network.requestWillBeSent") continue;
        const std::string url = message.at("params").at("request").at("url");
        const std::string asker = message.at("params").value("documentURL", "");
        if (!url.starts_with(origin() + "/") && !asker.starts_with("chrome:") && asker != "data:,") all += url + "\n";
    }
    return all;
}

void World::screenshot(const std::string& name) {
    const char* directory = std::getenv("CASEMATE_SCREENSHOTS");
    if (directory == nullptr) return;
    std::filesystem::create_directories(directory);
    browser->screenshot(std::filesystem::path{directory} / (name + ".png"));
}

} // namespace casemate::page
