/* SPDX-License-Identifier: Apache-2.0 */
/* EFI_MP_SERVICES_PROTOCOL [UEFI PI 1.7, volume 2, 13.4], of which GNU-EFI knows nothing: what is used here. */
#pragma once

#include <efi.h>

#define MP_SERVICES_GUID {0x3fdda605, 0xa76e, 0x4f46, {0xad, 0x29, 0x12, 0xf4, 0x53, 0x1b, 0x3d, 0x08}}

struct mp_services {
    void* get_number_of_processors;
    void* get_processor_info;
    EFI_STATUS(EFIAPI* startup_all_aps)(struct mp_services*, void(EFIAPI* procedure)(void*), BOOLEAN single_thread,
                                        EFI_EVENT done, UINTN timeout, void* argument, UINTN** failed);
};
