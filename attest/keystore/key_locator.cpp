// SPDX-License-Identifier: Apache-2.0
// See key_locator.hpp.
#include "attest/keystore/key_locator.hpp"

#include <charconv>

namespace casemate::keystore {
namespace {

constexpr std::string_view file_scheme = "file:";
constexpr std::string_view pkcs11_scheme = "pkcs11:";
constexpr std::string_view tpm_scheme = "tpm:";
constexpr std::string_view tcti_word = "?tcti=";
constexpr std::string_view default_tcti = "device:/dev/tpmrm0";
constexpr std::uint32_t first_persistent = 0x8100'0000;
constexpr std::uint32_t last_persistent = 0x81ff'ffff;

Result<Locator, std::string> file(std::string_view path) {
    if (path.empty()) return Failure{std::string{"a key's file needs a path"}};
    return Locator{FileLocator{std::string{path}}};
}

Result<Locator, std::string> pkcs11(std::string_view uri) {
    for (const std::string_view word : {"pin-value=", "pin-source="})
        if (uri.find(word) != std::string_view::npos)
            return Failure{"a PKCS#11 URI must not have " + std::string{word.substr(0, word.size() - 1)} +
                           ": put the PIN into a file of its own (--grant-key-secret, --key-secret)"};
    return Locator{Pkcs11Locator{std::string{uri}}};
}

/// "0x81010010", and no other spelling.
Result<std::uint32_t, std::string> handle_of(std::string_view text) {
    std::uint32_t handle = 0;
    const std::string_view digits = text.starts_with("0x") ? text.substr(2) : std::string_view{};
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), handle, 16);
    const bool number = digits.size() == 8 && error == std::errc{} && end == digits.data() + digits.size();
    if (!number || handle < first_persistent || handle > last_persistent)
        return Failure{std::string{"a TPM key is named by its persistent handle, tpm:0x81000000 to tpm:0x81ffffff"}};
    return handle;
}

Result<Locator, std::string> tpm(std::string_view rest) {
    const std::size_t query = rest.find('?');
    const std::string_view words = query == std::string_view::npos ? std::string_view{} : rest.substr(query);
    TpmLocator locator;
    locator.handle = TRY(handle_of(rest.substr(0, query)));
    locator.tcti = words.empty() ? default_tcti : words.substr(std::min(tcti_word.size(), words.size()));
    if (!words.empty() && (!words.starts_with(tcti_word) || locator.tcti.empty()))
        return Failure{std::string{"behind a TPM key's handle only ?tcti=TCTI may follow"}};
    return Locator{locator};
}

} // namespace

Result<Locator, std::string> parse_locator(std::string_view text) {
    if (text.find('\0') != std::string_view::npos) return Failure{std::string{"a key's place must not hold a zero byte"}};
    if (text.starts_with(pkcs11_scheme)) return pkcs11(text);
    if (text.starts_with(tpm_scheme)) return tpm(text.substr(tpm_scheme.size()));
    return file(text.starts_with(file_scheme) ? text.substr(file_scheme.size()) : text);
}

} // namespace casemate::keystore
