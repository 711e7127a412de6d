// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/measure/tpm_command_name.hpp"

#include <algorithm>
#include <array>

namespace casemate::measure {
namespace {

struct Named {
    std::uint32_t code;
    std::string_view name;
};

constexpr std::array names{
    Named{0x120, "EvictControl"}, Named{0x121, "HierarchyControl"}, Named{0x122, "NV_UndefineSpace"}, Named{0x126, "Clear"},
    Named{0x129, "HierarchyChangeAuth"}, Named{0x12A, "NV_DefineSpace"}, Named{0x12B, "PCR_Allocate"}, Named{0x131, "CreatePrimary"},
    Named{0x134, "NV_Increment"}, Named{0x137, "NV_Write"}, Named{0x13D, "PCR_Reset"}, Named{0x143, "SelfTest"},
    Named{0x144, "Startup"}, Named{0x145, "Shutdown"}, Named{0x147, "ActivateCredential"}, Named{0x149, "PolicyNV"},
    Named{0x14E, "NV_Read"}, Named{0x151, "PolicySecret"}, Named{0x156, "Import"}, Named{0x157, "Load"},
    Named{0x158, "Quote"}, Named{0x15E, "Unseal"}, Named{0x161, "ContextLoad"}, Named{0x162, "ContextSave"},
    Named{0x165, "FlushContext"}, Named{0x167, "LoadExternal"}, Named{0x169, "NV_ReadPublic"}, Named{0x16A, "PolicyAuthorize"},
    Named{0x16F, "PolicyLocality"}, Named{0x173, "ReadPublic"}, Named{0x176, "StartAuthSession"}, Named{0x177, "VerifySignature"},
    Named{0x17A, "GetCapability"}, Named{0x17B, "GetRandom"}, Named{0x17C, "GetTestResult"}, Named{0x17E, "PCR_Read"},
    Named{0x17F, "PolicyPCR"}, Named{0x181, "ReadClock"}, Named{0x182, "PCR_Extend"},
};

} // namespace

std::string_view tpm_command_name(std::uint32_t code) {
    const auto* const found = std::ranges::find(names, code, &Named::code);
    return found == names.end() ? std::string_view{} : found->name;
}

std::optional<std::uint32_t> tpm_command_code(std::string_view name) {
    const auto* const found = std::ranges::find(names, name, &Named::name);
    return found == names.end() ? std::nullopt : std::optional{found->code};
}

} // namespace casemate::measure
