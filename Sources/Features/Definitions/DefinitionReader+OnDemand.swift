import Columns

/// On-demand features.
extension DefinitionReader {
  mutating func onDemandFeature(_ node: DefinitionNode) throws(FeatureError) -> OnDemandFeature {
    var map = try DefinitionMap(node, "on-demand feature")
    let name = try map.name()
    map.object = DefinitionPath.onDemand(name)
    guard !name.contains("__") else {
      throw node.error("\(map.object): the name cannot hold __, which joins view and feature in full names")
    }
    try note(map.object, node.place)
    let expression = try map.requiredText("expr")
    var request: [RequestField] = []
    for item in try map.list("request") {
      var field = try DefinitionMap(item, "\(map.object): request field")
      let fieldName = try field.requiredText("name")
      let typeName = try field.requiredText("type")
      guard let type = DataType(parsing: typeName), type.isRequestType else {
        throw FeatureError(
          .definition,
          "\(map.object): request field \(fieldName) is \(typeName)\(DataType.hint(for: typeName)); there are bool, int8 to int64, float32, float64, string, date, timestamp"
        ).located(field.place("type"))
      }
      try field.finish()
      guard !request.contains(where: { $0.name == fieldName }) else {
        throw item.error("\(map.object): request field \(fieldName) is there twice")
      }
      request.append(RequestField(name: fieldName, type: type))
    }
    var inputs: [FeatureReference] = []
    for item in try map.list("inputs") {
      for reference in try references(item, map.object) {
        guard !inputs.contains(where: { $0.fullName == reference.fullName }) else {
          throw item.error("\(map.object): \(reference.fullName) is there twice; give one use of the view another name with as:")
        }
        inputs.append(reference)
      }
    }
    for key in ["expr", "request", "inputs"] { place(DefinitionPath.property(map.object, key), map.place(key)) }
    var result = OnDemandFeature(name: name, request: request, inputs: inputs, expression: expression)
    try map.annotate(&result)
    try map.finish()
    return result
  }
}

extension DataType {
  /// What labels and requests of every kind can say.
  fileprivate var isRequestType: Bool {
    switch self {
    case .bool, .int8, .int16, .int32, .int64, .float32, .float64, .string, .date, .timestamp(.microsecond, _): true
    default: false
    }
  }
}
