// SPDX-License-Identifier: Apache-2.0
// See prediction.hpp.
#include "dlaunch/measure/tools/prediction.hpp"

#include "dlaunch/measure/hex.hpp"
#include "dlaunch/measure/launch_layout.hpp"
#include "dlaunch/measure/pcr_map.hpp"
#include "policy/model/bundle.hpp"
#include "policy/model/payload.hpp"
#include "policy/model/vm_definition.hpp"

#include <openssl/evp.h>

namespace casemate::predict {

namespace {

using Json = nlohmann::ordered_json;
using measure::TPM_ALG_ID;

/// Which banks a TPM will have active is not known here: all that Casemate supports.
measure::Banks all_banks() {
    measure::Banks banks;
    for (const auto bank : {TPM_ALG_ID::SHA1, TPM_ALG_ID::SHA256, TPM_ALG_ID::SHA384, TPM_ALG_ID::SHA512}) {
        static_cast<void>(banks.add(bank)); // four distinct ones fit
    }
    return banks;
}

std::string base64(ByteView bytes) {
    std::string text(4 * ((bytes.size() + 2) / 3), '\0');
    // SAFETY: unsigned char may alias char; EVP_EncodeBlock writes exactly this size and a NUL, which std::string has room for.
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(), static_cast<int>(bytes.size()));
    return text;
}

Json digests_of(const measure::DigestSet& digests) {
    Json json;
    for (const measure::Digest& digest : digests) json[measure::name_of(digest.algorithm)] = measure::to_hex(digest.view());
    return json;
}

/// The part of slb.bin that SKINIT measures [APM2 15.27].
Result<ByteView, Problem> measured_part(const Bytes& slb) {
    LittleEndianReader header{slb};
    header.u16(); // entry
    const std::uint16_t length = header.u16();
    const std::uint32_t magic = header.u32();
    if (!header.ok() || magic != launch::slb_magic) return Failure{Problem{"The SLB file has no SLB header."}};
    if (length < sizeof(launch::SlbHeader) || length > slb.size()) {
        return Failure{Problem{"The SLB header's length does not lie within the file."}};
    }
    return ByteView{slb}.first(length);
}

struct OpenedPolicy {
    policy::Policy policy;
    Bytes owner_key;
};

Result<OpenedPolicy, Problem> open_policy(ByteView bundle) {
    const auto opened = policy::open_bundle(bundle);
    if (!opened.ok()) return Failure{Problem{"The policy bundle: "} + policy::describe(opened.error()) + "."};
    const auto verified = policy::verify_bundle(opened.value());
    if (!verified.ok()) return Failure{Problem{"The policy bundle: "} + policy::describe(verified.error()) + "."};
    OpenedPolicy result;
    const ByteView key = opened.value().owners.bytes();
    result.owner_key.assign(key.begin(), key.end());
    const auto parsed = policy::parse_policy(opened.value().payload(), result.policy);
    if (!parsed.ok()) return Failure{Problem{"The policy: "} + policy::describe(parsed.error().rule) + "."};
    return result;
}

Result<Json, Problem> predict_vm(const policy::Vm& vm, const Inputs& inputs) {
    policy::ImageDigests images;
    images.kernel = TRY(inputs.image_digest(vm.kernel.view()));
    images.initrd = TRY(inputs.image_digest(vm.initrd.view()));
    std::array<std::uint8_t, policy::max_vm_definition> buffer;
    const ByteView definition = policy::encode_vm_definition(vm, images, buffer);
    return Json{{"name", vm.name.view()},
                {"vm_id", measure::to_hex(policy::vm_id(definition))},
                {"definition", base64(definition)},
                {"kernel", {{"file", vm.kernel.view()}, {"sha256", measure::to_hex(images.kernel)}}},
                {"initrd", {{"file", vm.initrd.view()}, {"sha256", measure::to_hex(images.initrd)}}},
                {"command_line", vm.command_line.view()}};
}

Json predict_pcrs(const measure::DigestSet& slb, const measure::DigestSet& hypervisor,
                  const measure::DigestSet& owner_key, const measure::DigestSet& policy) {
    measure::LaunchPcrs pcrs{all_banks()};
    const bool extended = pcrs.extend(measure::pcr_launch, slb) && pcrs.extend(measure::pcr_launch, hypervisor) &&
                          pcrs.extend(measure::pcr_authority, owner_key) &&
                          pcrs.extend(measure::pcr_authority, policy);
    Json json;
    for (const TPM_ALG_ID bank : extended ? all_banks() : measure::Banks{}) {
        json[measure::name_of(bank)] = {{"17", measure::to_hex(pcrs.value(bank, measure::pcr_launch).view())},
                                        {"18", measure::to_hex(pcrs.value(bank, measure::pcr_authority).view())}};
    }
    return json;
}

} // namespace

Result<Json, Problem> predict(const Inputs& inputs) {
    const ByteView slb = TRY(measured_part(inputs.slb));
    const OpenedPolicy opened = TRY(open_policy(inputs.policy));
    const auto slb_digests = measure::hash_all(all_banks(), slb);
    const auto hypervisor_digests = measure::hash_all(all_banks(), inputs.hypervisor);
    const auto owner_digests = measure::hash_all(all_banks(), opened.owner_key);
    const auto policy_digests = measure::hash_all(all_banks(), inputs.policy);

    Json vms = Json::array();
    for (std::size_t i = 0; i < opened.policy.vm_count; ++i) vms.push_back(TRY(predict_vm(opened.policy.vms[i], inputs)));
    return Json{{"version", 1},
                {"slb", {{"length", slb.size()}, {"digests", digests_of(slb_digests)}}},
                {"hypervisor", {{"size", inputs.hypervisor.size()}, {"digests", digests_of(hypervisor_digests)}}},
                {"owner_key", measure::to_hex(opened.owner_key)},
                {"policy",
                 {{"epoch", opened.policy.epoch},
                  {"size", inputs.policy.size()},
                  {"digests", digests_of(policy_digests)},
                  {"bundle", base64(inputs.policy)}}},
                {"pcrs", predict_pcrs(slb_digests, hypervisor_digests, owner_digests, policy_digests)},
                {"vms", std::move(vms)}};
}

} // namespace casemate::predict
