// SPDX-License-Identifier: Apache-2.0
// QEMU's machine protocol: one command at a time, answered from the event loop. Events are dropped.
#pragma once

#include "dlaunch/model/byte_io.hpp"

#include <nlohmann/json_fwd.hpp>
#include <map>
#include <memory>
#include <string>

namespace casemate::model {

class QmpClient {
public:
    /// Negotiates at once; the answers are waited for by the first execute().
    static Outcome<std::unique_ptr<QmpClient>> create(Reactor& reactor, UniqueFd connection);
    ~QmpClient();

    /// The command's `return`, waiting for it by stepping the reactor. Not from inside one of its handlers.
    Outcome<nlohmann::json> execute(const std::string& command, const nlohmann::json& arguments);

private:
    QmpClient(Reactor& reactor, UniqueFd connection) : reactor_{reactor}, connection_{std::move(connection)} {}
    Status<Error> send(const std::string& command, const nlohmann::json& arguments);
    void on_readable();
    void take_line(const std::string& line);

    Reactor& reactor_;
    UniqueFd connection_;
    std::vector<std::uint8_t> received_;
    std::map<unsigned, std::string> answers_; // by id
    unsigned last_id_ = 0;
    bool closed_ = false;
};

} // namespace casemate::model
