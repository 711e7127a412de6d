// SPDX-License-Identifier: Apache-2.0
// Why dlaunch.efi does not launch: a word for machines (COM1), a sentence for the person at the console.
#pragma once

#include <cstdint>
#include <string_view>

namespace casemate::efi {

enum class RefusalKind : std::uint8_t {
    none,
    no_svm,
    no_skinit,
    svm_disabled,
    no_tpm,
    file_missing,
    file_unreadable,
    file_oversized,
    bad_config,
    bad_slb,
    no_memory,
    memory_map,
};

/// `detail`: which file, or what is wrong with it; may be empty. It must outlive the refusal.
struct Refusal {
    RefusalKind kind = RefusalKind::none;
    std::string_view detail{};
    unsigned line = 0; // of the configuration, 0 = none
};

std::string_view word_of(RefusalKind kind);
std::string_view sentence_of(RefusalKind kind);

} // namespace casemate::efi
