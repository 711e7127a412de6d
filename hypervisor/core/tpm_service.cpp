// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/core/tpm_service.hpp"

namespace casemate::core {

namespace {

constexpr std::uint64_t agent_locality = 0, own_locality = 2;
constexpr unsigned max_tries = 5; // of a command that the TPM asks to send again
/// Most commands of the agent end sooner on a TPM without a slow bus: then it need not wait for the next
/// tick.
constexpr hw::Micros short_wait{2'000};

hw::MmioBus locality_bus(std::uint64_t locality) {
    return hw::MmioBus{hw::tis::base + locality * hw::tis::locality_size};
}

} // namespace

TpmService::TpmService(const hw::Clock& clock, TpmWaiting& waiting)
    : agent_bus_{locality_bus(agent_locality)}, own_bus_{locality_bus(own_locality)}, agent_tis_{agent_bus_,
                                                                                                 clock},
      own_tis_{own_bus_, clock}, clock_{clock}, waiting_{waiting}, agent_deadline_{clock, {}} {}

template <typename Value, typename Parse>
Result<Value, TpmError> TpmService::ask(ByteView command, Parse parse) {
    for (unsigned attempt = 1;; ++attempt) {
        const auto result = parse(ByteView{own_response_}.first(TRY(transmit(command, own_response_))));
        if (result.ok()) return result.value();
        if (!result.error().try_again() || attempt == max_tries) return Failure{TpmError::refused};
    }
}

Status<TpmError> TpmService::extend(std::uint32_t pcr, const measure::DigestSet& digests) {
    return ask<Done>(measure::tpm2_pcr_extend(own_command_, pcr, digests), measure::parse_empty_response);
}

Status<TpmError> TpmService::random(ByteSpan out) {
    return ask<Done>(measure::tpm2_get_random(own_command_, static_cast<std::uint16_t>(out.size())),
                     [&](ByteView response) { return measure::parse_get_random(response, out); });
}

Result<std::uint64_t, TpmError> TpmService::clock() {
    return ask<std::uint64_t>(measure::tpm2_read_clock(own_command_), measure::parse_read_clock);
}

Result<std::size_t, TpmError> TpmService::transmit(ByteView command, ByteSpan response) {
    settle_agent();
    if (!own_tis_.take_locality().ok()) return Failure{TpmError::bus};
    const auto received = own_tis_.transmit(command, response);
    own_tis_.release_locality();
    if (!received.ok()) return Failure{TpmError::bus};
    return received.value().size();
}

void TpmService::settle_agent() {
    while (agent_ == Agent::running) {
        waiting_.while_tpm_is_busy();
        finish_agent();
    }
}

bool TpmService::submit(ByteView command) {
    if (agent_ != Agent::idle) return false;
    if (!agent_tis_.take_locality().ok()) return false;
    if (!agent_tis_.start(command).ok()) {
        agent_tis_.abandon();
        agent_tis_.release_locality();
        return false;
    }
    agent_ = Agent::running;
    agent_deadline_ = {clock_, hw::tis::command_limit};
    for (const hw::Deadline soon{clock_, short_wait}; agent_ == Agent::running && !soon.passed();)
        finish_agent();
    return true;
}

std::optional<ByteView> TpmService::poll() {
    if (agent_ == Agent::running) finish_agent();
    if (agent_ != Agent::done) return {};
    agent_ = Agent::idle;
    return ByteView{agent_response_}.first(agent_response_size_);
}

/// One look: the response is fetched when it is there; when its time is up the command is abandoned.
void TpmService::finish_agent() {
    const bool late = agent_deadline_.passed();
    if (!agent_tis_.response_ready() && !late) return;
    const auto response = agent_tis_.finish(agent_response_, late ? hw::Micros{} : hw::tis::timeout_c);
    agent_response_size_ = response.ok() ? response.value().size() : 0;
    agent_tis_.release_locality();
    agent_ = Agent::done;
}

} // namespace casemate::core
