// SPDX-License-Identifier: Apache-2.0
// Implements stand_in_hypervisor.hpp: the launch and the ledger.
#include "tests/platform/agent/stand_in_hypervisor.hpp"

#include "dlaunch/measure/pcr_map.hpp"
#include "dlaunch/measure/tools/prediction.hpp"
#include "policy/model/bundle.hpp"
#include "policy/model/vm_definition.hpp"
#include "tests/platform/agent/locality_two.hpp"
#include "tests/unit/policy_sample.hpp"

#include <algorithm>
#include <stdexcept>

namespace casemate::agent_test {
namespace {

const Bytes hypervisor_file = {'n', 'o', 't', ' ', 'a', 'n', ' ', 'E', 'L', 'F'};
const measure::LaunchId launch_id = {1, 2, 3, 4, 5};
const measure::DeviceIdentity nic{{0, 0, 3, 0}, 0x8086, 0x10d3, 0x8086, 0, 0x020000};
const measure::DeviceIdentity disk{{0, 0, 4, 0}, 0x8086, 0x10d3, 0x8086, 0, 0x010802};

measure::Banks banks() {
    measure::Banks both;
    if (!both.add(measure::TPM_ALG_ID::SHA256) || !both.add(measure::TPM_ALG_ID::SHA384)) std::abort();
    return both;
}

void demand(bool held, const char* what) {
    if (!held) throw std::runtime_error(what);
}

Bytes copy(ByteView view) { return {view.begin(), view.end()}; }

/// Every image of the policy has this digest.
const measure::Sha256Digest image_digest = {7};

custody::DeviceFacts facts_of(const measure::DeviceIdentity& identity) {
    return {true, identity, {true, true, measure::ResetKind::none, identity.address.requester_id()}};
}

} // namespace

/// Extends, appends, and does nothing else.
class StandInHypervisor::Ledger final : public custody::CustodyActions {
public:
    explicit Ledger(const std::string& swtpm)
        : tpm_{std::make_unique<LocalityTwo>(swtpm)}, buffer_(256 * 1024),
          writer_{measure::EventLogWriter::create(buffer_, banks()).value()} {}

    void append(unsigned pcr, const measure::DigestSet& digests, ByteView data, bool extend = true) {
        if (extend) tpm_->extend(pcr, digests);
        demand(writer_.append(pcr, digests, data).ok(), "the log is full");
    }
    Bytes close() {
        tpm_.reset();
        return copy(writer_.log());
    }

    bool random_nonce(measure::GateNonce& nonce) override {
        nonce.fill(++nonces_);
        return true;
    }
    std::optional<std::uint64_t> tpm_clock() override { return std::nullopt; } // takes no grants
    bool ledger_has_room(std::size_t) override { return true; }
    bool record(const measure::LedgerEntry& entry) override {
        measure::LedgerEntry numbered = entry;
        numbered.sequence = sequence_++;
        Bytes buffer(measure::max_ledger_event);
        const ByteView data = measure::encode(buffer, numbered);
        append(measure::pcr_custody, measure::hash_all(banks(), data), data);
        return !data.empty();
    }
    custody::ResetProgress start_reset(custody::DeviceIndex) override { return custody::ResetProgress::worked; }
    bool attach(custody::DeviceIndex, custody::VmIndex) override { return true; }
    void detach(custody::DeviceIndex) override {}
    void start_vm(custody::VmIndex) override {}
    void stop_vm(custody::VmIndex, measure::Cause) override {}

private:
    std::unique_ptr<LocalityTwo> tpm_;
    Bytes buffer_;
    measure::EventLogWriter writer_;
    std::uint64_t sequence_ = 0;
    std::uint8_t nonces_ = 0;
};

StandInHypervisor::StandInHypervisor(const StandInConfig& config, const Bytes& slb) : directory_{config.directory} {
    make_policy(config);
    make_reference(slb);
    make_launch(slb, config.swtpm);
    make_control_directory();
}

StandInHypervisor::~StandInHypervisor() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
}

void StandInHypervisor::make_policy(const StandInConfig& config) {
    policy_ = test::sample_policy();
    policy_.grant_key = cose::read_public_key(config.keys / "grant.pub.pem").value();
    demand(policy::validate(policy_).ok(), "the sample policy is not valid");
    const auto owner = cose::Signer::from_pem_file(config.keys / "owner.pem").value();
    owner_key_ = owner.public_key();
    Bytes header(cose::max_protected);
    bundle_ = owner.sign_message(policy::encode_bundle_header(owner_key_, header), test::encoded(policy_)).value();
}

void StandInHypervisor::make_reference(const Bytes& slb) {
    auto reference = predict::predict({slb, hypervisor_file, bundle_, [](std::string_view) {
                                           return Result<measure::Sha256Digest, predict::Problem>{image_digest};
                                       }});
    demand(reference.ok(), "no reference values");
    reference_ = reference.value();
}

void StandInHypervisor::make_launch(const Bytes& slb, const std::string& swtpm) {
    ledger_ = std::make_unique<Ledger>(swtpm);
    const auto measured = [&](unsigned pcr, ByteView bytes, const auto& event, bool extend = true) {
        Bytes buffer(measure::launch_event_size);
        ledger_->append(pcr, measure::hash_all(banks(), bytes), measure::encode(buffer, event), extend);
    };
    measured(measure::pcr_launch, slb, measure::SlbEvent{static_cast<std::uint32_t>(slb.size())}, false);
    measured(measure::pcr_launch, hypervisor_file, measure::HypervisorEvent{hypervisor_file.size()});
    measured(measure::pcr_authority, owner_key_, measure::OwnerKeyEvent{owner_key_});
    measured(measure::pcr_authority, bundle_, measure::PolicyEvent{bundle_.size(), policy_.epoch});

    const auto key = measure::P256PublicKey::create(policy_.grant_key).value();
    custody_ = std::make_unique<custody::Custody>(*ledger_, policy_, key,
                                                  custody::Launch{launch_id, launch::LaunchKind::skinit});
    std::vector<Bytes> definitions;
    for (std::size_t i = 0; i < policy_.vm_count; ++i) {
        Bytes buffer(policy::max_vm_definition);
        definitions.push_back(
            copy(policy::encode_vm_definition(policy_.vms[i], {image_digest, image_digest}, buffer)));
    }
    const std::vector<ByteView> views{definitions.begin(), definitions.end()};
    const std::vector<custody::DeviceFacts> devices{facts_of(nic), facts_of(disk)};
    demand(custody_->begin(views, devices), "custody did not begin");
    log_ = ledger_->close();
}

std::vector<measure::GateRequest> StandInHypervisor::open_gates() const {
    std::vector<measure::GateRequest> open;
    custody_->for_each_open_gate([&](const measure::GateRequest& request) { open.push_back(request); });
    return open;
}

} // namespace casemate::agent_test
