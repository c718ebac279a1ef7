"""Where StackSpot is, unless the environment says otherwise; needs nothing but Python, as `gateway doctor` does."""

DEFAULT_ADDRESSES = {
    "STACKSPOT_API_BASE": "https://api.stackspot.com/v1",
    "STACKSPOT_IDM_URL": "https://idm.stackspot.com",
    "STACKSPOT_INFERENCE_URL": "https://genai-inference-app.stackspot.com",
    "STACKSPOT_UPLOAD_URL": "https://data-integration-api.stackspot.com",
}
