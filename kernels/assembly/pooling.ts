/** Laid out as in kernels/layouts.ts. */
@unmanaged
export class PoolingDescriptor {
  channels: i32;
  inputHeight: i32;
  inputWidth: i32;
  outputHeight: i32;
  outputWidth: i32;
  kernelHeight: i32;
  kernelWidth: i32;
  strideY: i32;
  strideX: i32;
  padTop: i32;
  padLeft: i32;
}

/** Maximum over each window of one image, channels innermost. */
export function maxPoolUint8(d: PoolingDescriptor, input: usize, output: usize): void {
  maxPool<u8>(d, input, output);
}

/** Maximum over each window of one image, channels innermost; a NaN in the window gives NaN. */
export function maxPoolFloat32(d: PoolingDescriptor, input: usize, output: usize): void {
  maxPool<f32>(d, input, output);
}

function maxPool<T>(d: PoolingDescriptor, input: usize, output: usize): void {
  const pixelBytes = <usize>d.channels * sizeof<T>();
  const lineBytes = <usize>d.inputWidth * pixelBytes;
  for (let y = 0; y < d.outputHeight; y++) {
    const inputY = y * d.strideY - d.padTop;
    const top = max(inputY, 0);
    const bottom = min(inputY + d.kernelHeight, d.inputHeight);
    for (let x = 0; x < d.outputWidth; x++) {
      const inputX = x * d.strideX - d.padLeft;
      const left = max(inputX, 0);
      const right = min(inputX + d.kernelWidth, d.inputWidth);
      const first = input + <usize>top * lineBytes + <usize>left * pixelBytes;
      let offset: usize = 0;
      for (; offset + 16 <= pixelBytes; offset += 16) {
        let largest = v128.load(first + offset);
        let line = first + offset;
        for (let i = top; i < bottom; i++, line += lineBytes) {
          let source = line;
          for (let j = left; j < right; j++, source += pixelBytes) {
            largest = v128.max<T>(largest, v128.load(source));
          }
        }
        v128.store(output + offset, largest);
      }
      for (; offset < pixelBytes; offset += sizeof<T>()) {
        let largest = load<T>(first + offset);
        let line = first + offset;
        for (let i = top; i < bottom; i++, line += lineBytes) {
          let source = line;
          for (let j = left; j < right; j++, source += pixelBytes) {
            largest = max<T>(largest, load<T>(source));
          }
        }
        store<T>(output + offset, largest);
      }
      output += pixelBytes;
    }
  }
}
