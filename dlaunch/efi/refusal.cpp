// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/efi/refusal.hpp"

namespace casemate::efi {

std::string_view word_of(RefusalKind kind) {
    switch (kind) {
    case RefusalKind::none: break;
    case RefusalKind::no_svm: return "no_svm";
    case RefusalKind::no_skinit: return "no_skinit";
    case RefusalKind::svm_disabled: return "svm_disabled";
    case RefusalKind::no_tpm: return "no_tpm";
    case RefusalKind::file_missing: return "file_missing";
    case RefusalKind::file_unreadable: return "file_unreadable";
    case RefusalKind::file_oversized: return "file_oversized";
    case RefusalKind::bad_config: return "bad_config";
    case RefusalKind::bad_slb: return "bad_slb";
    case RefusalKind::no_memory: return "no_memory";
    case RefusalKind::memory_map: return "memory_map";
    }
    return "unknown";
}

std::string_view sentence_of(RefusalKind kind) {
    switch (kind) {
    case RefusalKind::none: break;
    case RefusalKind::no_svm: return "this processor has no SVM (AMD virtualisation)";
    case RefusalKind::no_skinit: return "this processor has no SKINIT instruction";
    case RefusalKind::svm_disabled: return "SVM is switched off and locked: enable it in the firmware's setup";
    case RefusalKind::no_tpm: return "no TPM 2.0 with a FIFO (TIS) interface at FED40000";
    case RefusalKind::file_missing: return "a file is missing on the boot volume:";
    case RefusalKind::file_unreadable: return "a file cannot be read:";
    case RefusalKind::file_oversized: return "a file is empty or too large:";
    case RefusalKind::bad_config: return "launch.cfg is wrong:";
    case RefusalKind::bad_slb: return "the secure loader block is not valid:";
    case RefusalKind::no_memory: return "not enough memory for";
    case RefusalKind::memory_map: return "the firmware's memory map cannot be used:";
    }
    return "unknown reason";
}

} // namespace casemate::efi
