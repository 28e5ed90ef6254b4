import Columns
import Features
import JSON

extension Generation {
  /// The body of the answer to `POST /get-online-features`.
  ///
  /// - Parameters:
  ///   - now: the time of the question unless it names one, micros; read once per request.
  ///   - overlay: the sequence number of the last pushed row that the answer knows.
  /// - Throws: `OnlineError`, whose `httpStatus` and `text` say what is wrong.
  package func answer(_ request: OnlineRequest, now: Int64, overlay: Int64 = 0) throws(OnlineError) -> [UInt8] {
    try answer(request, try plan(for: request), now: now, overlay: overlay)
  }

  /// Made once for all requests that ask for the same features.
  private func plan(for request: OnlineRequest) throws(OnlineError) -> FeaturePlan {
    if let service = request.service {
      return try plans.plan(for: .service(service, fullNames: request.fullNames)) { () throws(OnlineError) in
        try plan(service: service, fullNames: request.fullNames)
      }
    }
    return try plans.plan(for: .features(request.features, fullNames: request.fullNames)) { () throws(OnlineError) in
      try plan(features: request.features, fullNames: request.fullNames)
    }
  }

  /// - Parameter body: the bytes of the request's body.
  package func answer(body: UnsafeRawBufferPointer, now: Int64, overlay: Int64 = 0) throws(OnlineError) -> [UInt8] {
    try answer(OnlineRequest(body: body), now: now, overlay: overlay)
  }

  private func answer(_ request: OnlineRequest, _ plan: FeaturePlan, now: Int64, overlay: Int64) throws(OnlineError) -> [UInt8] {
    let (entities, requests) = try request.columns(of: plan)
    let values = try answer(plan, entities: entities, requests: requests, at: request.time ?? now)
    let rowCount = (entities.first ?? requests.first)?.count ?? 0
    var writer = JSONWriter(byteCapacity: 256 + (values.count + entities.count) * (rowCount * 64 + 64))
    writer.raw("{\"metadata\":{\"feature_names\":")
    writer.appendArray(plan.featureNames) { writer, name in writer.appendString(name) }
    writer.raw(",\"commit\":")
    writer.appendString(commit)
    writer.raw(",\"overlay\":")
    writer.appendInt(overlay)
    writer.raw("},\"results\":[")
    for (index, column) in entities.enumerated() {
      if index > 0 { writer.raw(",") }
      writer.appendResult(column.scalars.map { FeatureValue($0, .present, eventTimeMicros: 0) })
    }
    for (index, column) in values.enumerated() {
      if index > 0 || !entities.isEmpty { writer.raw(",") }
      writer.appendResult(column)
    }
    writer.raw("]}")
    return writer.bytes
  }
}

extension JSONWriter {
  fileprivate mutating func appendArray<Element>(_ elements: [Element], _ write: (inout JSONWriter, Element) -> Void) {
    raw("[")
    for (index, element) in elements.enumerated() {
      if index > 0 { raw(",") }
      write(&self, element)
    }
    raw("]")
  }

  fileprivate mutating func appendResult(_ column: [FeatureValue]) {
    raw("{\"values\":")
    appendArray(column) { writer, value in writer.append(value.value) }
    raw(",\"statuses\":")
    appendArray(column) { writer, value in writer.appendString(value.status.rawValue) }
    raw(",\"event_timestamps\":")
    appendArray(column) { writer, value in writer.appendEventTime(value.eventTimeMicros) }
    raw("}")
  }

  /// Seconds without a fraction where there is none, as protocol buffers write timestamps; else microseconds.
  private mutating func appendEventTime(_ micros: Int64) {
    raw("\"")
    CivilTime.appendTimestamp(micros, .microsecond, to: &bytes)
    if micros % CivilTime.microsPerSecond == 0, bytes.suffix(8).elementsEqual(".000000Z".utf8) {
      bytes.removeLast(8)
      raw("Z")
    }
    raw("\"")
  }

  /// Doubles with a point or an exponent, integers in full digits, NaN, infinities and decimals as strings, times as RFC 3339 with
  /// microseconds, binary as base64.
  package mutating func append(_ value: Scalar) {
    switch value {
    case .null: appendNull()
    case .bool(let value): appendBool(value)
    case .int(let value): appendInt(value)
    case .uint(let value): appendUInt(value)
    case .float(let value): appendDouble(Double(value))
    case .double(let value): appendDouble(value)
    case .decimal(let value, let scale): appendString(NumberText.formatDecimal(value, scale: scale))
    case .string(let value): appendString(value)
    case .binary(let value): appendString(Base64.text(value))
    case .date(let days): appendString(CivilTime.formatDate(days: Int64(days)))
    case .timestamp(let ticks, let unit): appendString(CivilTime.formatTimestamp(ticks, unit))
    case .time(let ticks, _), .duration(let ticks, _): appendInt(ticks)
    case .list(let values), .structure(let values):
      raw("[")
      for (index, value) in values.enumerated() {
        if index > 0 { raw(",") }
        append(value)
      }
      raw("]")
    }
  }
}
