// SPDX-License-Identifier: Apache-2.0
// A launched platform's software TPM, at locality 2 as the hypervisor has it, with the time of each command.
#pragma once

#include "attest/secret/owner_tpm.hpp"
#include "attest/secret/release.hpp"
#include "dlaunch/model/software_tpm.hpp"

#include <map>
#include <memory>
#include <vector>

namespace casemate::bench::secret {

class TimedTpm final : public casemate::secret::ReleaseHost {
public:
    /// `directory`: an empty one. Throws std::runtime_error.
    explicit TimedTpm(const std::filesystem::path& directory);

    Result<ByteSpan, measure::TpmFault> transmit(ByteView command, ByteSpan response) override;
    bool random(ByteSpan out) override;
    /// The owner's commands, at locality 0, not timed.
    [[nodiscard]] casemate::secret::TpmExchange owner();
    [[nodiscard]] casemate::secret::Digest pcr(std::uint32_t index);
    /// A command that does next to nothing: what the way there and back takes.
    [[nodiscard]] double empty_command();

    struct Timed {
        std::uint32_t code; // TPM_CC
        double milliseconds;
    };
    std::vector<Timed> commands; // since it was cleared last

private:
    std::vector<std::uint8_t> exchange(ByteView command, std::uint8_t locality);
    std::unique_ptr<model::SoftwareTpm> tpm_;
};

} // namespace casemate::bench::secret
