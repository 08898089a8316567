/* wire - parse and print what crosses a socket or a pipe, one header per
 * format.
 *
 * Pure: bytes in, structs out and back; no descriptor, no clock, no global,
 * no randomness. Only sdp.h, ivf.h, ogg.h and the writers that append to a
 * struct buf allocate. Every parser is bounded by the bytes received, never
 * by a length that those bytes claim.
 */
#ifndef WIRE_H
#define WIRE_H

#include "bushdr.h"
#include "ivf.h"
#include "ogg.h"
#include "opustoc.h"
#include "rtcp.h"
#include "rtp.h"
#include "rtpext.h"
#include "sdp.h"
#include "sdp_build.h"
#include "stun.h"
#include "vp8.h"
#include "vp8pack.h"

#endif
