// SPDX-License-Identifier: Apache-2.0
// What all tests of the page share, since it takes seconds to make: a running service, some platforms with different fates, operators of
// every role, and a browser. Each test signs in anew and takes its own platform for what it changes.
#pragma once

#include <map>

#include "tests/fleet/materials.hpp"
#include "tests/fleet/player.hpp"
#include "tests/fleet/service_process.hpp"
#include "tests/page/browser.hpp"

namespace casemate::page {

inline constexpr const char* hostile_label = "<img src=x onerror=window.hostile=1>\"'&amp;<script>";

class World {
public:
    static World& get();

    [[nodiscard]] std::string origin() const { return "https://127.0.0.1:" + std::to_string(port_); }
    [[nodiscard]] const std::string& id(const std::string& label) { return player(label).platform().id(); }
    [[nodiscard]] const std::string& token(const std::string& role) const { return tokens_.at(role); }

    /// A call of the API as this role.
    fleet::Reply as(const std::string& role, const std::string& method, const std::string& path, const std::string& body = "");
    /// Fresh evidence: what is granted is taken, leases are renewed.
    fleet::Reply attest(const std::string& label);
    /// The grants of the platform, newest first, from the API.
    [[nodiscard]] Json grants(const std::string& label);

    /// The page as somebody sees it who opens it for the first time.
    void open();
    /// And signs in by its form.
    void sign_in(const std::string& role);
    /// Everything that the console said so far but for refused calls with one of these statuses; and it is forgotten.
    [[nodiscard]] std::string console(const std::string& statuses = "");
    /// What the browser asked for so far beside the service, but for its own first page (chrome:, data:).
    [[nodiscard]] std::string elsewhere();
    void screenshot(const std::string& name);

    /// SIGTERM; its exit status.
    int stop_service() { return service_->stop(); }
    /// At the same address with the same store.
    void start_service();

private:
    World();
    fleet::Player& player(const std::string& label);
    void add(const std::string& label, fleet::Stage& stage, int rounds);
    template <typename T>
    T wait(fleet::Task<T> task);
    void label_platforms();
    void make_tokens();

    test::ScratchDirectory scratch_;
    fleet::Materials materials_{scratch_ / "materials"};
    fleet::LaunchModel other_build_;
    std::unique_ptr<fleet::ServiceProcess> service_;
    std::uint16_t port_ = 0;
    boost::asio::io_context io_{1};
    std::unique_ptr<fleet::Target> target_;
    std::unique_ptr<fleet::Stage> stage_, other_stage_;
    std::map<std::string, std::unique_ptr<fleet::Player>> players_;
    std::map<std::string, std::string> tokens_;

public:
    std::unique_ptr<Browser> browser; // ends before what it looks at
};

} // namespace casemate::page
