/* wire - parse and print what crosses a socket, one header per format.
 *
 * Pure: bytes in, structs out and back; no descriptor, no clock, no global,
 * no randomness. Only sdp.h and the writers that append to a struct buf
 * allocate. Every parser is bounded by the bytes received, never by a length
 * that those bytes claim.
 */
#ifndef WIRE_H
#define WIRE_H

#include "bushdr.h"
#include "rtcp.h"
#include "rtp.h"
#include "rtpext.h"
#include "sdp.h"
#include "sdp_build.h"
#include "stun.h"
#include "vp8.h"

#endif
