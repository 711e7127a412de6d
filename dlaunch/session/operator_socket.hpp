// SPDX-License-Identifier: Apache-2.0
// What a running session answers its operator: docs/interfaces/operator.md. One JSON request a line, one answer a line; a console
// goes on for as long as the client listens.
// Invariant: step() never waits. Requests, clients and unsent answers are bounded; a client that does not take its answers, or asks
// nothing, is dropped. Only processes of the same user are heard (checked per connection).
#pragma once

#include "dlaunch/session/console_history.hpp"
#include "dlaunch/session/operator_directory.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <optional>

namespace casemate::session {

class OperatorSocket {
public:
    using Time = std::chrono::steady_clock::time_point;
    /// The `status` of the answer; null while nothing is known.
    using StatusSource = std::function<nlohmann::json()>;

    static constexpr std::size_t max_request = 1024;
    static constexpr std::size_t max_clients = 8;
    static constexpr std::size_t max_unsent = 2 << 20;     // a whole history of escaped lines fits
    static constexpr std::chrono::seconds patience{10};    // with unsent bytes and no progress
    static constexpr std::chrono::seconds idle_limit{60};  // without a request, unless it follows a console
    static constexpr std::chrono::seconds order_limit{20}; // for the answer to an order

    /// Listens in `directory` under this process's number.
    static model::Outcome<std::unique_ptr<OperatorSocket>> open(const std::filesystem::path& directory,
                                                                StatusSource status);
    /// Takes an order about a VM, and gives the number under which order_done() will be called; nothing when it cannot.
    using OrderSink =
        std::function<std::optional<std::uint64_t>(const std::string& vm, const std::string& order)>;
    void on_order(OrderSink sink) { orders_ = std::move(sink); }

    /// Without a listener: for tests.
    explicit OperatorSocket(StatusSource status) : status_{std::move(status)} {}
    ~OperatorSocket();
    OperatorSocket(const OperatorSocket&) = delete;
    OperatorSocket& operator=(const OperatorSocket&) = delete;

    /// Hears, answers, drops. Call it often.
    void step(Time now);
    /// The hypervisor's answer to an order: an OrderError (docs/interfaces/control.md), 0 = accepted.
    void order_done(std::uint64_t number, std::uint64_t error);
    void console_line(const std::string& vm, std::string_view text);
    /// A connected stream socket becomes a client; it is refused when it is another user's or there are too many.
    void admit(model::UniqueFd connection, Time now);
    [[nodiscard]] std::size_t clients() const { return clients_.size(); }

private:
    struct Client {
        model::UniqueFd connection;
        std::string received{};
        std::string unsent{};
        std::string follows{};                // a VM's name, or nothing
        std::optional<std::uint64_t> order{}; // whose answer it waits for; nothing is heard of it meanwhile
        Time last_request{};
        Time last_progress{};
        bool ending = false; // nothing more is heard of it; gone when all is sent
        bool broken = false;
    };

    void accept_new(Time now);
    static void hear(Client& client);
    void answer_lines(Client& client, Time now);
    void answer(Client& client, const std::string& line);
    void answer_console(Client& client, const nlohmann::json& request);
    void take_order(Client& client, const nlohmann::json& request);
    static void send_what_goes(Client& client, Time now);
    static void give_up_order(Client& client, Time now);
    static bool lost(const Client& client, Time now);

    StatusSource status_;
    OrderSink orders_;
    std::optional<OperatorDirectory> directory_;
    model::UniqueFd listener_;
    ConsoleHistory history_;
    std::list<Client> clients_;
};

} // namespace casemate::session
