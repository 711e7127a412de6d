// SPDX-License-Identifier: Apache-2.0
// The measurement that SINIT takes of tboot [TXT-MLE 2.1]: a part of its ELF image as it lies in memory, with the command line in it.
// What lcp2_mlehash of Debian's tboot prints for the same file and command line. Called by the prediction and by the policy.
#pragma once

#include "attest/verifier/bytes.hpp"
#include "dlaunch/measure/crypto.hpp"

#include <optional>
#include <string>

namespace casemate::txt {

/// What SINIT measures: hash it in any bank.
struct MeasuredMle {
    verifier::Bytes bytes;
};

/// `elf`: unpacked (tboot.gz is a gzip file). The command line is what GRUB hands over: without the file's name. Nothing, and a
/// sentence in `why`, when the file is no MLE or the command line does not fit into it.
[[nodiscard]] std::optional<MeasuredMle> measured_mle(ByteView elf, std::string_view command_line, std::string& why);

/// A gzip file unpacked, any other as it is; nothing when it is broken or larger than 64 MiB.
[[nodiscard]] std::optional<verifier::Bytes> unpacked(ByteView file);

} // namespace casemate::txt
