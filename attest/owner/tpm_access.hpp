// SPDX-License-Identifier: Apache-2.0
// A way to a platform's TPM at locality 0: by a TCTI of tpm2-tss ("device:/dev/tpmrm0"), or the TPM of an emulated platform that is off,
// by its directory; and the owner hierarchy's password, where that has one.
#pragma once

#include "attest/keystore/secret_file.hpp"
#include "attest/owner/error.hpp"
#include "attest/secret/owner_tpm.hpp"

#include <memory>
#include <string>

namespace casemate::owner {

class TpmAccess {
public:
    virtual ~TpmAccess() = default;
    /// An empty response when the TPM is not there any more.
    [[nodiscard]] virtual secret::Bytes exchange(ByteView command) = 0;
    void take_password(keystore::Secret password) { password_ = std::move(password); }
    /// Not longer than this object.
    [[nodiscard]] secret::OwnerTpm asker() {
        return {[this](ByteView command) { return exchange(command); }, password_.bytes()};
    }
    /// "the TPM `does_not`", and why, as far as it told.
    [[nodiscard]] Failure<Error> refusal(const std::string& does_not, const measure::TpmFault& fault) const;

private:
    keystore::Secret password_;
};

/// `where`: a directory with the state of a software TPM, or a TCTI's name and configuration.
Outcome<std::unique_ptr<TpmAccess>> open_tpm(const std::string& where);

} // namespace casemate::owner
