// SPDX-License-Identifier: Apache-2.0
// One session of a campaign: the platform with a faulty driver VM, its disk's VM and the canary, and the line over which the host tells
// the faulty VM what to do next.
#pragma once

#include "tests/faults/campaign.hpp"
#include "tests/faults/canaries.hpp"

namespace casemate::faults {

/// Policy, reference values and digests: the same for every session.
struct Setting {
    std::filesystem::path policy, reference;
    std::set<std::string> disk_digests;
};
model::Outcome<Setting> make_setting(const session::Artefacts& built, const std::filesystem::path& directory);

class Run {
public:
    /// Up to where everybody works.
    static model::Outcome<std::unique_ptr<Run>> start(const CampaignOptions& options, const Setting& setting, const std::filesystem::path& directory,
                                                      std::uint64_t number);

    /// Does the fault and waits until its effect is known and the others have gone on.
    Effect inject(const Fault& fault);
    /// Problems since the last call.
    std::vector<std::string> new_problems();
    /// The newest evidence covers the ledger and is affirmed; what is wrong otherwise.
    std::optional<std::string> check_evidence();
    std::optional<std::string> check_memory();

    [[nodiscard]] const std::string& target() const { return judge_.target(); }
    [[nodiscard]] const std::string& ending() const { return session_->seen().ending; }
    /// Of the TCB and of the faulty VM.
    [[nodiscard]] std::vector<std::string> last_lines() const;

private:
    Run(const CampaignOptions& options, const Setting& setting, const std::filesystem::path& directory);
    void tell(const std::string& line) const;
    bool wait(const std::function<bool()>& done, std::chrono::seconds limit);

    const CampaignOptions& options_;
    std::filesystem::path order_;
    std::string mark_;
    std::string check_digest_;
    Judge judge_;
    Canaries canaries_;
    std::size_t problems_told_ = 0;
    std::unique_ptr<session::Session> session_;
};

/// Whether that is QEMU's own end, by an assertion or a signal: not the machine's.
[[nodiscard]] bool is_emulators_end(const std::string& ending);

} // namespace casemate::faults
