// SPDX-License-Identifier: Apache-2.0
// See open_key.hpp.
#include "attest/keystore/open_key.hpp"

#include "attest/keystore/bounded_key.hpp"
#include "attest/keystore/key_locator.hpp"
#include "attest/keystore/pkcs11_key.hpp"
#include "attest/keystore/tpm_key.hpp"

namespace casemate::keystore {
namespace {

// A real TPM needs 0.2 s for a signature in the median, and other callers wait before this one.
constexpr std::chrono::seconds device_limit{10};

using Opened = Result<cose::Signer, std::string>;

Opened checked(Result<cose::Signer, cose::SignError> signer, const std::string& where) {
    if (!signer) return Failure{where + ": " + cose::describe(signer.error())};
    return std::move(signer).value();
}

Opened of_device(std::shared_ptr<const cose::SigningKey> key, const std::string& where) {
    Opened signer = checked(cose::Signer::with(std::make_shared<BoundedKey>(std::move(key), device_limit)), where);
    if (!signer) return signer;
    // What cannot sign now need not start.
    const std::uint8_t probe[] = {0};
    const auto signature = signer.value().sign(probe, {});
    if (!signature) return Failure{where + ": " + cose::describe(signature.error())};
    return signer;
}

Opened open(const FileLocator& file, Secret secret) {
    if (!secret.empty()) return Failure{std::string{"a key in a file takes no secret"}};
    return checked(cose::Signer::from_pem_file(file.path), file.path);
}

Opened open(const Pkcs11Locator& token, Secret secret) {
    return of_device(TRY(open_pkcs11_key(token.uri, std::move(secret))), "PKCS#11");
}

Opened open(const TpmLocator& tpm, Secret secret) {
    return of_device(TRY(open_tpm_key(tpm, std::move(secret))), "TPM");
}

} // namespace

Result<cose::Signer, std::string> open_key(const std::string& locator, const std::string& secret_file) {
    const Locator where = TRY(parse_locator(locator));
    Secret secret;
    if (!secret_file.empty()) secret = TRY(read_secret(secret_file));
    return std::visit([&](const auto& place) { return open(place, std::move(secret)); }, where);
}

} // namespace casemate::keystore
