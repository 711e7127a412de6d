// SPDX-License-Identifier: Apache-2.0
// Where a signing key is, in the words of `--grant-key`: `file:PATH` (or just PATH), `pkcs11:...` [RFC 7512], or
// `tpm:HANDLE?tcti=TCTI`. Pure. A PIN or password in it is refused: command lines and unit files are read by many.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "hypervisor/base/result.hpp"

namespace casemate::keystore {

struct FileLocator {
    std::string path;
};

struct Pkcs11Locator {
    std::string uri; // whole
};

struct TpmLocator {
    std::uint32_t handle = 0; // persistent: 0x81000000 to 0x81ffffff [TPM2-P2 7.5]
    std::string tcti;         // as TSS's loader takes it: "device:/dev/tpmrm0"
};

using Locator = std::variant<FileLocator, Pkcs11Locator, TpmLocator>;

/// The error is a sentence.
[[nodiscard]] Result<Locator, std::string> parse_locator(std::string_view text);

} // namespace casemate::keystore
