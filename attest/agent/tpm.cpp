// SPDX-License-Identifier: Apache-2.0
// Connects to the TPM and leaves it clean. The transports are linked, not looked up by name at run time: an image
// has just what its program names.
#include "attest/agent/tpm_connection.hpp"

#include <tss2/tss2_tcti_device.h>
#include <tss2/tss2_tcti_swtpm.h>

namespace casemate::agent {
namespace {

using InitFunction = TSS2_RC (*)(TSS2_TCTI_CONTEXT*, std::size_t*, const char*);

Outcome<Bytes> open_transport(const std::string& tcti) {
    const auto colon = tcti.find(':');
    const std::string name = tcti.substr(0, colon);
    const std::string configuration = colon == std::string::npos ? "" : tcti.substr(colon + 1);
    InitFunction init = nullptr;
    if (name == "device") init = Tss2_Tcti_Device_Init;
    if (name == "swtpm") init = Tss2_Tcti_Swtpm_Init;
    if (init == nullptr) return fail("unknown TPM transport " + tcti);
    std::size_t size = 0;
    TRY(tpm_result(init(nullptr, &size, nullptr), "transport"));
    Bytes context(size);
    TRY(tpm_result(init(reinterpret_cast<TSS2_TCTI_CONTEXT*>(context.data()), &size, configuration.c_str()),
                   ("open " + tcti).c_str()));
    return context;
}

} // namespace

Tpm::Tpm(std::unique_ptr<Connection> connection) : connection_{std::move(connection)} {}
Tpm::Tpm(Tpm&& other) noexcept = default;
Tpm::~Tpm() = default;

Outcome<Tpm> Tpm::create(const std::string& tcti) {
    auto connection = std::make_unique<Connection>();
    connection->transport = TRY(open_transport(tcti));
    TRY(tpm_result(Esys_Initialize(&connection->esys, connection->tcti(), nullptr), "Esys_Initialize"));
    Tpm tpm{std::move(connection)};
    TRY(tpm.flush_leftovers(TPM2_TRANSIENT_FIRST));
    TRY(tpm.flush_leftovers(TPM2_LOADED_SESSION_FIRST));
    return tpm;
}

Outcome<Done> Tpm::flush_leftovers(std::uint32_t first_handle) {
    TPMS_CAPABILITY_DATA* raw = nullptr;
    TPMI_YES_NO more = TPM2_NO;
    TRY(tpm_result(Esys_GetCapability(connection_->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                      TPM2_CAP_HANDLES, first_handle, TPM2_MAX_CAP_HANDLES, &more, &raw),
                   "TPM2_GetCapability"));
    const Owned<TPMS_CAPABILITY_DATA> data{raw};
    for (UINT32 i = 0; i < data->data.handles.count; ++i) {
        // What cannot be flushed only costs room; the command that misses it will say so.
        ESYS_TR object = ESYS_TR_NONE;
        if (Esys_TR_FromTPMPublic(connection_->esys, data->data.handles.handle[i], ESYS_TR_NONE, ESYS_TR_NONE,
                                  ESYS_TR_NONE, &object) == TSS2_RC_SUCCESS)
            (void)Esys_FlushContext(connection_->esys, object);
    }
    return Done{};
}

} // namespace casemate::agent
