// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/model/qmp_client.hpp"

#include <nlohmann/json.hpp>

namespace casemate::model {
namespace {

constexpr Millis answer_limit{10'000};

} // namespace

Outcome<std::unique_ptr<QmpClient>> QmpClient::create(Reactor& reactor, UniqueFd connection) {
    std::unique_ptr<QmpClient> client{new QmpClient{reactor, std::move(connection)}};
    QmpClient* self = client.get();
    TRY(reactor.watch(self->connection_.get(), [self] { self->on_readable(); }));
    TRY(self->send("qmp_capabilities", nlohmann::json::object()));
    return client;
}

QmpClient::~QmpClient() { reactor_.forget(connection_.get()); }

Status<Error> QmpClient::send(const std::string& command, const nlohmann::json& arguments) {
    const nlohmann::json request{{"execute", command}, {"arguments", arguments}, {"id", ++last_id_}};
    return write_all(connection_.get(), as_bytes(request.dump() + "\n"), answer_limit);
}

void QmpClient::on_readable() {
    if (read_available(connection_.get(), received_) == ReadOutcome::end) {
        closed_ = true;
        return reactor_.forget(connection_.get());
    }
    for (auto end = std::find(received_.begin(), received_.end(), '\n'); end != received_.end();
         end = std::find(received_.begin(), received_.end(), '\n')) {
        take_line({received_.begin(), end});
        received_.erase(received_.begin(), end + 1);
    }
}

void QmpClient::take_line(const std::string& line) {
    const auto message = nlohmann::json::parse(line, nullptr, false);
    if (message.is_object() && message.contains("id")) answers_[message["id"].get<unsigned>()] = line;
}

Outcome<nlohmann::json> QmpClient::execute(const std::string& command, const nlohmann::json& arguments) {
    TRY(send(command, arguments));
    const unsigned id = last_id_;
    const auto deadline = std::chrono::steady_clock::now() + answer_limit;
    while (!answers_.contains(id)) {
        if (closed_) return fail("QEMU closed its monitor");
        if (std::chrono::steady_clock::now() > deadline) return fail("QEMU's monitor does not answer " + command);
        reactor_.step(Millis{50});
    }
    const auto answer = nlohmann::json::parse(answers_[id]);
    answers_.clear();
    if (!answer.contains("return")) return fail("QEMU's monitor refuses " + command + ": " + answer["error"].dump());
    return answer["return"];
}

} // namespace casemate::model
