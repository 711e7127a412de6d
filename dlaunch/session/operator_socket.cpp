// SPDX-License-Identifier: Apache-2.0
// See operator_socket.hpp.
#include "dlaunch/session/operator_socket.hpp"

#include "dlaunch/session/live_report.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>

namespace casemate::session {

using model::Outcome;
using model::UniqueFd;
using nlohmann::json;

namespace {

constexpr int accepted_at_once = 8;

/// One line, whatever a guest has put into it.
std::string line_of(const json& object) {
    return object.dump(-1, ' ', true, json::error_handler_t::replace) + "\n";
}

std::string refusal(const char* code, const std::string& sentence) {
    return line_of({{"ok", false}, {"error", code}, {"text", sentence}});
}

bool is_order(const json& text) { return text == "stop" || text == "start" || text == "restart"; }

/// For an OrderError of docs/interfaces/control.md.
std::string order_answer(std::uint64_t error) {
    switch (error) {
    case 0: return line_of({{"ok", true}});
    case 2: return refusal("unknown_vm", "there is no VM of this name");
    case 3: return refusal("not_a_driver", "only driver VMs take orders, not the agent or a client");
    case 4:
        return refusal("wrong_state", "the VM is not in a state for this order: stop what is not held, start "
                                      "what was stopped, restart what runs");
    case 5: return refusal("no_grant", "the VM has no live grant: it starts only under one");
    case 6: return refusal("log_full", "the custody ledger has no room for a restart");
    default: return refusal("refused", "the hypervisor refuses the order with code " + std::to_string(error));
    }
}

} // namespace

Outcome<std::unique_ptr<OperatorSocket>> OperatorSocket::open(const std::filesystem::path& directory,
                                                              StatusSource status) {
    auto here = TRY(OperatorDirectory::create(directory));
    (void)here.sessions(); // clears away dead ones
    auto socket = std::make_unique<OperatorSocket>(std::move(status));
    socket->listener_ = TRY(here.listen(::getpid()));
    socket->directory_.emplace(std::move(here));
    return socket;
}

OperatorSocket::~OperatorSocket() {
    if (directory_) directory_->remove(::getpid());
}

void OperatorSocket::step(Time now) {
    accept_new(now);
    for (Client& client : clients_) {
        hear(client);
        give_up_order(client, now);
        answer_lines(client, now);
        send_what_goes(client, now);
    }
    clients_.remove_if([now](const Client& client) { return lost(client, now); });
}

void OperatorSocket::accept_new(Time now) {
    for (int i = 0; listener_.valid() && i < accepted_at_once; ++i) {
        UniqueFd connection{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
        if (!connection.valid()) return;
        admit(std::move(connection), now);
    }
}

void OperatorSocket::admit(UniqueFd connection, Time now) {
    if (!peer_is_same_user(connection.get())) return;
    if (clients_.size() == max_clients) {
        const std::string text = refusal("busy", "this session already has as many operators as it can hear");
        (void)::send(connection.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        return;
    }
    clients_.push_back({.connection = std::move(connection), .last_request = now, .last_progress = now});
}

/// UNTRUSTED bytes: at most one buffer of them a step.
void OperatorSocket::hear(Client& client) {
    if (client.ending || client.broken || client.received.size() > max_request) return;
    char buffer[max_request];
    const ssize_t count = ::recv(client.connection.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (count < 0) {
        if (errno != EAGAIN && errno != EINTR) client.broken = true;
    } else if (count == 0) {
        if (!client.follows.empty()) client.broken = true; // who follows says nothing more: this is its end
        client.ending = true;
    } else if (client.follows.empty()) {
        client.received.append(buffer, static_cast<std::size_t>(count));
    }
}

/// The next request is answered when the answer before it is sent, so no client makes us keep more than one.
void OperatorSocket::answer_lines(Client& client, Time now) {
    if (!client.follows.empty() || client.order || !client.unsent.empty() || client.received.empty()) return;
    const std::size_t length = std::min(client.received.find('\n'), client.received.size());
    if (length > max_request) {
        client.unsent =
            refusal("too_long", "a request is one line of at most " + std::to_string(max_request) + " bytes");
        client.received.clear();
        client.ending = true;
    } else if (length < client.received.size()) {
        const std::string line = client.received.substr(0, length);
        client.received.erase(0, length + 1);
        answer(client, line);
    } else {
        return;
    }
    client.last_request = client.last_progress = now;
}

void OperatorSocket::answer(Client& client, const std::string& line) {
    const json request = json::parse(line, nullptr, false);
    if (!request.is_object()) {
        client.unsent = refusal("malformed", "a request is a JSON object in one line");
        return;
    }
    const json what = member(request, "do");
    if (what == "status") {
        const json status = status_();
        client.unsent = status.is_null() ? refusal("no_status", "the agent has reported nothing yet")
                                         : line_of({{"ok", true}, {"status", status}});
    } else if (what == "console") {
        answer_console(client, request);
    } else if (what == "vm") {
        take_order(client, request);
    } else {
        client.unsent = refusal("unknown_request", "a request's \"do\" is \"status\", \"console\" or \"vm\"");
    }
}

/// Which VM it is about is the hypervisor's to judge; that it is a VM's name is ours.
void OperatorSocket::take_order(Client& client, const json& request) {
    const json vm = member(request, "vm");
    const json order = member(request, "order");
    if (!is_order(order)) {
        client.unsent = refusal("unknown_request", "a VM's \"order\" is \"stop\", \"start\" or \"restart\"");
    } else if (!vm.is_string() || !is_vm_name(vm.get<std::string>())) {
        client.unsent = order_answer(2);
    } else {
        client.order = orders_ ? orders_(vm.get<std::string>(), order.get<std::string>()) : std::nullopt;
        if (!client.order) client.unsent = refusal("busy", "this session can take no order now");
    }
}

void OperatorSocket::order_done(std::uint64_t number, std::uint64_t error) {
    for (Client& client : clients_) {
        if (client.order != number) continue;
        client.order.reset();
        client.unsent = order_answer(error);
        client.last_progress = std::chrono::steady_clock::now();
    }
}

/// The order may still be carried out: the agent may have it already.
void OperatorSocket::give_up_order(Client& client, Time now) {
    if (!client.order || now - client.last_request <= order_limit) return;
    client.order.reset();
    client.unsent =
        refusal("no_answer",
                "the agent has not answered the order in time; see ./casemate top for what became of it");
    client.last_progress = now;
}

void OperatorSocket::answer_console(Client& client, const json& request) {
    const json vm = member(request, "vm");
    const json follow = member(request, "follow");
    const auto* lines = vm.is_string() ? history_.of(vm.get<std::string>()) : nullptr;
    if (lines == nullptr) {
        client.unsent = refusal("unknown_vm", "no VM of this name has printed anything");
        return;
    }
    client.unsent = line_of({{"ok", true}, {"vm", vm}, {"lines", lines->size()}});
    for (const std::string& text : *lines) client.unsent += line_of({{"line", text}});
    if (follow == true) client.follows = vm.get<std::string>();
}

void OperatorSocket::console_line(const std::string& vm, std::string_view text) {
    if (!history_.add(vm, text)) return;
    for (Client& client : clients_) {
        if (client.follows != vm || client.broken) continue;
        if (client.unsent.empty()) client.last_progress = std::chrono::steady_clock::now();
        client.unsent += line_of({{"line", history_.of(vm)->back()}});
        client.broken = client.unsent.size() > max_unsent;
    }
}

void OperatorSocket::send_what_goes(Client& client, Time now) {
    if (client.unsent.empty() || client.broken) return;
    const ssize_t count = ::send(client.connection.get(), client.unsent.data(), client.unsent.size(),
                                 MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count > 0) {
        client.unsent.erase(0, static_cast<std::size_t>(count));
        client.last_progress = now;
    } else if (errno != EAGAIN && errno != EINTR) {
        client.broken = true;
    }
}

bool OperatorSocket::lost(const Client& client, Time now) {
    if (client.broken) return true;
    if (!client.unsent.empty()) return now - client.last_progress > patience;
    if (client.order || client.received.find('\n') != std::string::npos) return false; // not yet answered
    return client.ending || (client.follows.empty() && now - client.last_request > idle_limit);
}

} // namespace casemate::session
