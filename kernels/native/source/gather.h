#ifndef BITCELL_GATHER_H
#define BITCELL_GATHER_H

#include <string.h>

#include "descriptors.h"

/* Copies of few bytes take less time than a call of memcpy: fixed sizes that overlap. */
static inline void copyBytes(uint8_t *restrict to, const uint8_t *restrict from, size_t count) {
  if (count >= 16) {
    size_t at = 0;
    for (; at + 16 <= count; at += 16) memcpy(to + at, from + at, 16);
    memcpy(to + count - 16, from + count - 16, 16);
  } else if (count >= 8) {
    memcpy(to, from, 8);
    memcpy(to + count - 8, from + count - 8, 8);
  } else if (count >= 4) {
    memcpy(to, from, 4);
    memcpy(to + count - 4, from + count - 4, 4);
  } else {
    for (size_t at = 0; at < count; at++) to[at] = from[at];
  }
}

/*
 * The window whose first tap lies at (top, left), maybe outside the image: for ky, then kx, the channels of the group.
 * Values have `valueBytes` bytes; each byte of padding is `padding`.
 */
static inline void gatherFrom(const WindowDescriptor *window, size_t valueBytes, int padding,
                              const uint8_t *image, int64_t top, int64_t left, size_t group,
                              uint8_t *to) {
  const size_t channels = (size_t)window->inputChannels * valueBytes;
  const size_t groupChannels = channels / (size_t)window->groups;
  const int64_t width = window->inputWidth;
  const int64_t kernelWidth = window->kernelWidth;
  // Neighbouring taps of whole pixels lie side by side.
  const int together = window->dilationX == 1 && window->groups == 1;
  for (int32_t ky = 0; ky < window->kernelHeight; ky++) {
    const int64_t y = top + (int64_t)ky * window->dilationY;
    const size_t rowBytes = (size_t)kernelWidth * groupChannels;
    if (y < 0 || y >= window->inputHeight) {
      memset(to, padding, rowBytes);
    } else if (together && left >= 0 && left + kernelWidth <= width) {
      copyBytes(to, image + (size_t)(y * width + left) * channels, rowBytes);
    } else if (together) {
      const int64_t before = left < 0 ? (-left < kernelWidth ? -left : kernelWidth) : 0;
      const int64_t beyond = left + kernelWidth - width;
      const int64_t after = beyond > 0 ? (beyond < kernelWidth ? beyond : kernelWidth) : 0;
      const size_t first = (size_t)before * channels;
      const size_t end = rowBytes - (size_t)after * channels;
      if (first > 0) memset(to, padding, first);
      if (first < end) {
        copyBytes(to + first, image + (size_t)(y * width + left + before) * channels, end - first);
      }
      if (end < rowBytes) memset(to + end, padding, rowBytes - end);
    } else {
      for (int64_t kx = 0; kx < kernelWidth; kx++) {
        const int64_t x = left + kx * window->dilationX;
        uint8_t *tap = to + (size_t)kx * groupChannels;
        if (x < 0 || x >= width) {
          memset(tap, padding, groupChannels);
        } else {
          const size_t pixel = (size_t)(y * width + x) * channels;
          copyBytes(tap, image + pixel + group * groupChannels, groupChannels);
        }
      }
    }
    to += rowBytes;
  }
}

/* The window of one output position. */
static inline void gatherWindow(const WindowDescriptor *window, size_t valueBytes, int padding,
                                const uint8_t *image, size_t position, size_t group,
                                uint8_t *to) {
  const int64_t y = (int64_t)(position / (size_t)window->outputWidth);
  const int64_t x = (int64_t)(position % (size_t)window->outputWidth);
  gatherFrom(window, valueBytes, padding, image, y * window->strideY - window->padTop,
             x * window->strideX - window->padLeft, group, to);
}

#endif
