// SPDX-License-Identifier: Apache-2.0
// See operator_client.hpp.
#include "dlaunch/session/operator_client.hpp"

#include "dlaunch/session/live_report.hpp"

#include <poll.h>
#include <sys/socket.h>

namespace casemate::session {

using model::fail;
using model::fail_errno;
using model::Outcome;
using nlohmann::json;

namespace {

constexpr std::chrono::milliseconds answer_patience{25'000}; // an order is answered, or given up, before
constexpr std::size_t max_line = 4 << 20;
const char* const none_is_running = "no session is running: start one with ./casemate up --keep-running";

std::string listed(const std::vector<int>& sessions) {
    std::string text;
    for (const int session : sessions) text += (text.empty() ? "" : ", ") + std::to_string(session);
    return text;
}

Outcome<int> only_one(const std::vector<int>& sessions) {
    if (sessions.empty()) return fail(none_is_running);
    if (sessions.size() > 1)
        return fail("several sessions are running: choose with --session PID, one of " + listed(sessions));
    return sessions.front();
}

} // namespace

Outcome<OperatorClient> OperatorClient::connect(const std::filesystem::path& directory,
                                                std::optional<int> session) {
    if (!std::filesystem::exists(std::filesystem::symlink_status(directory))) return fail(none_is_running);
    const OperatorDirectory here = TRY(OperatorDirectory::open(directory));
    if (!session) session = TRY(only_one(here.sessions()));
    return OperatorClient{TRY(here.connect(*session))};
}

Outcome<json> OperatorClient::ask(const json& request) {
    const std::string text =
        request.dump() + "\n"; // fits into the socket: the session takes short requests only
    if (::send(connection_.get(), text.data(), text.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(text.size()))
        return fail_errno("the session does not listen");
    json answer = TRY(next(answer_patience));
    if (member(answer, "ok") == true) return answer;
    const json why = member(answer, "text");
    return fail(why.is_string() ? why.get<std::string>() : "the session's answer is not understood");
}

Outcome<json> OperatorClient::next(std::optional<std::chrono::milliseconds> patience) {
    json answer = json::parse(TRY(line(patience)), nullptr, false);
    if (!answer.is_object()) return fail("the session's answer is not understood");
    return answer;
}

Outcome<std::string> OperatorClient::line(std::optional<std::chrono::milliseconds> patience) {
    for (;;) {
        if (const std::size_t end = received_.find('\n'); end != std::string::npos) {
            std::string text = received_.substr(0, end);
            received_.erase(0, end + 1);
            return text;
        }
        if (received_.size() > max_line) return fail("the session's answer is too long");
        pollfd entry{connection_.get(), POLLIN, 0};
        const int ready = ::poll(&entry, 1, patience ? static_cast<int>(patience->count()) : -1);
        if (ready == 0) return fail("the session does not answer");
        if (ready < 0) return fail_errno("interrupted");
        char buffer[65536];
        const ssize_t count = ::recv(connection_.get(), buffer, sizeof buffer, 0);
        if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        if (count <= 0) return fail("the session has ended");
        received_.append(buffer, static_cast<std::size_t>(count));
    }
}

} // namespace casemate::session
